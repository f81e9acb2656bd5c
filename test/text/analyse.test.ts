import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ANALYSER_VERSION, analyse, analyseInSteps, analyseQuery } from '../../src/text/analyse.ts';
import { TRAIT } from '../../src/text/term-counts.ts';

const terms = (text: string) => analyse(text).terms.map(([term]) => term);
/** Whether a question written one way finds a text written another way: every term of the question is in the text. */
const finds = (question: string, text: string) => {
  const wanted = analyseQuery(question);
  const held = new Set(terms(text));
  return wanted.length > 0 && wanted.every((term) => held.has(term));
};

describe('what a text is found by', () => {
  it.each([
    ['validates', 'validate'],
    ['validating e-mail addresses', 'validate email address'],
    ['I bought new shoes', 'buy shoe'],
    ['We went swimming with the kids', 'children swim'],
    ['my mom', "my mother's"],
    ['Naïve café, Ångström', 'naive cafe angstrom'],
    ['die Straße', 'strasse'],
    ['İSTANBUL', 'istanbul'],
    ['ﬁle ２０２３', 'file 2023'],
    ['Ёлка стоит', 'елка'],
    ['мы купили книгу', 'книги'],
    ['قَرَأتُ كِتَابًا', 'قرأت كتابا'],
    ['東京タワーに行った', '東京'],
    ['私の猫はかわいい', '猫'],
    ['iPhoneを買った', 'iphone'],
    ['สวัสดีครับ', 'สวัสดี'],
    ['한국어 문서', '문서'],
    ['we use C++ and C#', 'C++'],
    ['we use C++ and C#', 'c#'],
    ['ported to .NET 8', '.net'],
    ['ported to .NET 8', 'NET'],
    ['written in Go', 'go'],
    ['call parseHTTPHeader() here', 'parse header'],
    ['call parseHTTPHeader() here', 'parsehttpheader'],
    ['set max_context_tokens', 'context tokens'],
    ['set max_context_tokens', 'MAX_CONTEXT_TOKENS'],
    ['JavaScript', 'javascript'],
    ['write to ana.lopez@example.org', 'ana.lopez@example.org'],
    ['write to ana.lopez@example.org', 'lopez'],
    ['open src/text/turn-index.ts', 'turn index'],
    ['upgrade to v1.20.3', 'v1.20.3'],
    ["O'Brien called", 'obrien'],
    ["l'été dernier", 'ete'],
    ['the WHO report', 'WHO'],
  ])('%j is found by %j', (text, question) => {
    expect(finds(question, text)).toBe(true);
  });

  it.each([
    ['we use C', 'C++'],
    ['the letter й', 'и'],
    ['a b', 'ab'],
  ])('%j is not found by %j', (text, question) => {
    expect(finds(question, text)).toBe(false);
  });

  it('keeps words that say nothing out of the index, but in the length', () => {
    expect(analyse("It's what she would have done, isn't it?")).toMatchObject({ terms: [], length: 8 });
    expect(analyseQuery('What is it about?')).toEqual([]);
  });

  it('counts each term, and the length of the text', () => {
    expect(analyse('tea, tea and more Tea')).toEqual({
      terms: [['tea', 3]],
      length: 5,
      traits: 0,
      version: ANALYSER_VERSION,
    });
  });

  it.each([
    ['words', 'the quick brown fox jumps over lazy dogs. '.repeat(3_000)],
    ['one run', 'a'.repeat(100_000)],
    ['characters without spaces', '漢字仮名交じり文。'.repeat(8_000)],
    ['pictures', '😀'.repeat(40_000)],
    ['lines', `${'x'.repeat(700)}\n`.repeat(100)],
  ])('a long text gives the same in steps, and others have their turn meanwhile: %s', async (_, text) => {
    let turns = 0;
    let running = true;
    const count = () => {
      turns += 1;
      if (running) setImmediate(count);
    };
    setImmediate(count);
    const found = await analyseInSteps(text);
    running = false;
    expect(turns).toBeGreaterThanOrEqual(Math.floor(text.length / 20_000));
    expect(found).toEqual(analyse(text));
  });

  it('notes whether a text asks, tells a time or tells a number', () => {
    expect(analyse('Did you like it?').traits).toBe(TRAIT.asks);
    expect(analyse('Is it? It is.').traits).toBe(0);
    expect(analyse('Nice, isn’t it? :) 🎉').traits).toBe(TRAIT.asks);
    expect(analyse('Nice, isn’t it? [photo: a dog]').traits).toBe(TRAIT.asks);
    expect(analyse('We met yesterday.').traits).toBe(TRAIT.tellsTime);
    expect(analyse('She has two cats.').traits).toBe(TRAIT.tellsNumber);
  });

  it('gives only terms that are lower case, not empty and not long, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), (text) => {
        const { terms: found, length } = analyse(text);
        for (const [term, count] of found) {
          expect(term.length).toBeGreaterThan(0);
          expect(term.length).toBeLessThanOrEqual(64 * 3);
          expect(count).toBeGreaterThan(0);
        }
        expect(new Set(found.map(([term]) => term)).size).toBe(found.length);
        expect(length).toBeGreaterThanOrEqual(found.length);
      }),
    );
  });

  it('finds every text by itself', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 100 }), (text) => {
        expect(analyseQuery(text)).toEqual(terms(text));
      }),
    );
  });

  it.each([
    ['one letter', 'a'.repeat(300_000)],
    ['one long name', 'a-'.repeat(150_000)],
    ['alternating capitals', 'aB'.repeat(150_000)],
    ['capitals', 'AB'.repeat(150_000)],
    ['brackets', '?['.repeat(150_000)],
    ['apostrophes', "a'".repeat(150_000)],
    ['dots', ' .'.repeat(150_000)],
    ['marks', 'e\u0301'.repeat(150_000)],
    ['Han', '漢字'.repeat(150_000)],
  ])('takes time in proportion to the text, also for %s', (_name, text) => {
    const start = performance.now();
    analyse(text);
    // Some tens of milliseconds; anything quadratic takes minutes.
    expect(performance.now() - start).toBeLessThan(5_000);
  });
});
