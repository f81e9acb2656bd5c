import { createRequire } from 'node:module';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countTokens, truncateToTokens } from '../../src/text/tokens.ts';

describe('counting tokens', () => {
  it('counts as the encoding does', () => {
    expect(countTokens('')).toBe(0);
    expect(countTokens('hello world')).toBe(2);
    expect(countTokens('日本語')).toBeGreaterThanOrEqual(2);
  });

  it('counts word by word, the second time from memory, and comes to what the encoding counts in one go', () => {
    const { countTokens: count } = createRequire(import.meta.url)('gpt-tokenizer/encoding/cl100k_base') as {
      countTokens(text: string, options: object): number;
    };
    const word = fc.constantFrom(
      ...[
        'Go',
        'naïve',
        '日本',
        '12345',
        "it's",
        '…',
        '.',
        '):',
        ' ',
        '  ',
        '\t',
        '\n',
        '\r\n',
        '\n\n',
        ' \n ',
        '\u00a0',
        '\u2028',
        '😀',
        '𝐀',
        '\v',
      ],
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 60 }), (words) => {
        const text = words.join('');
        const options = { allowedSpecial: new Set(), disallowedSpecial: new Set() };
        const whole = /\S{65}/u.test(text) ? null : count(text, options);
        const first = countTokens(text);
        expect(countTokens(text)).toBe(first);
        if (whole !== null) expect(first).toBe(whole);
      }),
      { numRuns: 2_000 },
    );
  });

  it('takes text that looks like a special token as text', () => {
    expect(countTokens('<|endoftext|>')).toBeGreaterThan(1);
    expect(countTokens('<|im_start|>system')).toBeGreaterThan(1);
  });

  it('is nearly additive however long the text is', () => {
    const line = 'The quick brown fox jumps over the lazy dog, and then it does so again.\n';
    const one = countTokens(line);
    expect(countTokens(line.repeat(500)) / (500 * one)).toBeCloseTo(1, 2);
  });

  it.each([['a'], [' '], ['\n'], ['='], ['漢'], ['😀'], ['ab'], ['a ']])(
    'counts 100 kB of %j quickly',
    (unit) => {
      const text = unit.repeat(Math.ceil(100_000 / unit.length));
      const start = performance.now();
      expect(countTokens(text)).toBeGreaterThan(0);
      // Tens of milliseconds where merging is cut short; the bare encoder takes seconds for some of these.
      expect(performance.now() - start).toBeLessThan(2_000);
    },
  );
});

describe('truncating to tokens', () => {
  it('gives the longest beginning that fits', () => {
    const text = 'one two three four five six seven eight nine ten';
    for (let limit = 0; limit <= 12; limit += 1) {
      const cut = truncateToTokens(text, limit);
      expect(text.startsWith(cut)).toBe(true);
      expect(countTokens(cut)).toBeLessThanOrEqual(limit);
    }
    expect(truncateToTokens(text, 100)).toBe(text);
    expect(truncateToTokens(text, 3)).toBe('one two three');
  });

  it('never leaves half a character', () => {
    for (let limit = 1; limit < 12; limit += 1) {
      expect(truncateToTokens('😀👩‍👩‍👧‍👦🇫🇷', limit)).not.toMatch(/[\uD800-\uDBFF](?![\uDC00-\uDFFF])/);
    }
  });
});
