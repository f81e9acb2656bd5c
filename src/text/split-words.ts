import { fold } from './fold.ts';
import { stem } from './stem.ts';

/** Longest term that is kept, in characters; longer runs are data, not words. */
const LONGEST_TERM = 64;
/** Longest identifier, address or path that is looked at as one; of longer ones only the parts are kept. */
const LONGEST_NAME = 256;
const PART = /[\p{L}\p{N}\p{M}]+/gu;

/**
 * A word with the joints that belong to names of things: `C++`, `C#`, `.NET`, `ana@example.org`, `v1.2`, `it's`,
 * `snake_case`, `e-mail`, `src/main.ts`.
 */
const WORD =
  /(?<=^|[\s("'“‘])\.(?=\p{L})[\p{L}\p{N}]+|[\p{L}\p{N}\p{M}_]+(?:[@.'’\-_/][\p{L}\p{N}\p{M}_]+)*(?:\+\+|#)?/gu;

/** Scripts that are written without spaces between words. */
const UNSPACED =
  '\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}ー\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}';
const HAS_UNSPACED = new RegExp(`[${UNSPACED}]`, 'u');
const RUNS = new RegExp(`[${UNSPACED}\\p{M}]+|[^${UNSPACED}]+`, 'gu');
const HAN = /\p{Script=Han}/u;

/** The pieces of an identifier: `parseHTTPHeader2` → parse, HTTP, Header, 2. */
const PIECE =
  /\p{Lu}{2,}(?=\p{Lu}\p{Ll}{2})|\p{Lu}+(?!\p{Ll})|\p{Lu}?[\p{Ll}\p{Lo}\p{Lm}\p{M}]+|\p{Lu}|\p{N}+/gu;
const CAMEL = /\p{Ll}\p{Lu}|\p{Lu}{2,}\p{Lu}\p{Ll}{2}/u;

/** Most words of most texts: their one term is their stem, and nothing else has to be looked for in them. */
const PLAIN = /^[a-z]{1,64}$/;

/** What is left of a shortened verb, or the genitive's s. */
const TAIL = /['’](?:s|m|re|ve|ll|d)$/iu;

/** A word of a text and the terms it is found by. */
export interface Word {
  /** As it stands in the text, without 's, 'm, 're, 've, 'll or 'd at its end. */
  word: string;
  terms: string[];
}

/** The words of a text in order. Costs time in proportion to the text, whatever is in it. */
export function* splitWords(text: string): Generator<Word> {
  for (const match of text.normalize('NFKC').match(WORD) ?? []) {
    if (PLAIN.test(match)) {
      yield { word: match, terms: [stem(match)] };
      continue;
    }
    if (!HAS_UNSPACED.test(match)) {
      const word = match.replace(TAIL, '');
      yield { word, terms: termsOf(word) };
      continue;
    }
    for (const run of match.match(RUNS) ?? []) {
      yield { word: run, terms: HAS_UNSPACED.test(run) ? pairs(run) : termsOf(run) };
    }
  }
}

function termsOf(word: string): string[] {
  if (word.length > LONGEST_NAME) return [...new Set((word.match(PART) ?? []).map(termOf))];
  if (/^\p{L}+$/u.test(word)) {
    const whole = termOf(word);
    return CAMEL.test(word) ? [...new Set([whole, ...piecesOf(word)])] : [whole];
  }
  const apostrophe = /^(\p{L}+)['’](\p{L}+)$/u.exec(word);
  if (apostrophe) return termsAroundApostrophe(apostrophe[1] ?? '', apostrophe[2] ?? '');
  // "e-mail" is also written "email", "road-trip" "roadtrip".
  const letters = word.replaceAll('-', '');
  const whole = /^\p{L}[\p{L}\p{M}]*$/u.test(letters) ? letters : word;
  return [...new Set([termOf(whole), ...piecesOf(word)])];
}

/** "don't" says nothing to look for; "l'été" is its second part, "O'Brien" that and the whole. */
function termsAroundApostrophe(head: string, tail: string): string[] {
  if (/n$/iu.test(head) && /^t$/iu.test(tail)) return [];
  if (head.length <= 2 && tail.length >= 3) {
    return [termOf(tail), termOf(head + tail)];
  }
  return [termOf(head)];
}

function piecesOf(word: string): string[] {
  return (word.match(PIECE) ?? []).map(termOf);
}

/** Pairs of neighbouring characters, and each Han character alone, since it often is a word. */
function pairs(run: string): string[] {
  const letters = [...fold(run)];
  if (letters.length === 1) return letters;
  const terms: string[] = [];
  for (let at = 0; at < letters.length; at += 1) {
    const letter = letters[at] ?? '';
    if (HAN.test(letter)) terms.push(letter);
    if (at + 1 < letters.length) terms.push(letter + (letters[at + 1] ?? ''));
  }
  return terms;
}

function termOf(word: string): string {
  return word.length > LONGEST_TERM ? fold(word.slice(0, LONGEST_TERM)) : stem(fold(word));
}
