import { describe, expect, it } from 'vitest';
import { countTokens, truncateToTokens } from '../../src/text/tokens.ts';

describe('counting tokens', () => {
  it('counts as the encoding does', () => {
    expect(countTokens('')).toBe(0);
    expect(countTokens('hello world')).toBe(2);
    expect(countTokens('日本語')).toBeGreaterThanOrEqual(2);
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
