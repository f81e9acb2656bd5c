import { stemmer } from '@orama/stemmers/english';
import type { TermCounts } from './term-counts.ts';
import { STOP_WORDS } from './stop-words.ts';

/** Goes up when the same text gives other terms: an index made by an older one has to be made again. */
export const ANALYSER_VERSION = 1;

/** Longest term that is kept, in characters; longer runs are data, not words. */
const LONGEST_TERM = 64;

/**
 * A word: letters, marks and digits of any script, with the joints that belong to names of things (`C++`, `C#`,
 * `ana@example.org`, `v1.2`, `it's`, `snake_case`, `kebab-case`).
 */
const WORD = /[\p{L}\p{N}\p{M}_]+(?:[@.'’\-_/][\p{L}\p{N}\p{M}_]+)*(?:\+\+|#)?/gu;
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;
const PART = /[\p{Lu}]+(?![\p{Ll}])|[\p{Lu}]?[\p{Ll}\p{M}\p{Lo}\p{Lm}]+|\p{N}+/gu;

/**
 * The terms by which a text is found: lower case, without accents, English words by their stem (Snowball's English
 * stemmer; words of other languages pass through it nearly unchanged, and the same way in question and text).
 * An identifier or an address is found whole and by its parts; scripts without spaces by pairs of characters.
 */
export function analyse(text: string): TermCounts {
  const counts = new Map<string, number>();
  let length = 0;
  for (const term of termsOf(text)) {
    counts.set(term, (counts.get(term) ?? 0) + 1);
    length += 1;
  }
  return { terms: [...counts], length };
}

/** The distinct terms of a question, without words that say nothing; all of them when there is nothing else. */
export function analyseQuery(text: string): string[] {
  const all = new Set<string>();
  const telling = new Set<string>();
  for (const word of text.normalize('NFKC').matchAll(WORD)) {
    const silent = STOP_WORDS.has(word[0].toLowerCase());
    for (const term of termsOfWord(word[0])) {
      all.add(term);
      if (!silent) telling.add(term);
    }
  }
  return [...(telling.size > 0 ? telling : all)];
}

function* termsOf(text: string): Generator<string> {
  for (const [word] of text.normalize('NFKC').matchAll(WORD)) yield* termsOfWord(word);
}

function* termsOfWord(word: string): Generator<string> {
  if (UNSPACED.test(word)) {
    yield* pairs(word);
    return;
  }
  const whole = fold(word);
  if (/^\p{L}+$/u.test(whole)) {
    // camelCase is seen before folding takes its capitals away.
    const parts = camelParts(word);
    if (parts.length > 1) {
      yield clip(whole);
      for (const part of parts) yield clip(stem(fold(part)));
      return;
    }
    yield clip(stem(whole));
    return;
  }
  const plain = whole.replace(/['’]s?$/u, '');
  const parts = [...word.matchAll(PART)].map(([part]) => stem(fold(part)));
  if (parts.length <= 1 && /^[\p{L}\p{N}]+$/u.test(plain)) {
    yield clip(stem(plain));
    return;
  }
  const apostrophe = /^\p{L}+['’]\p{L}+$/u.test(word);
  // "it's", "don't": the word without its tail.
  if (apostrophe) {
    yield clip(stem(fold(word.replace(/['’].*$/u, ''))));
    return;
  }
  yield clip(whole);
  for (const part of new Set(parts)) if (part !== whole) yield clip(part);
}

function camelParts(word: string): string[] {
  return /\p{Ll}\p{Lu}/u.test(word) ? [...word.matchAll(PART)].map(([part]) => part) : [];
}

function* pairs(word: string): Generator<string> {
  const characters = [...fold(word)].filter((character) => /[\p{L}\p{N}]/u.test(character));
  if (characters.length === 1) yield characters.join('');
  for (let at = 0; at + 1 < characters.length; at += 1)
    yield `${characters[at] ?? ''}${characters[at + 1] ?? ''}`;
}

function fold(text: string): string {
  return text.toLowerCase().normalize('NFD').replaceAll(/\p{M}/gu, '').normalize('NFC');
}

function stem(word: string): string {
  return /^[a-z]+$/.test(word) ? stemmer(word) : word;
}

function clip(term: string): string {
  return term.length > LONGEST_TERM ? term.slice(0, LONGEST_TERM) : term;
}
