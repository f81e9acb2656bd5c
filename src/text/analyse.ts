import { remembered } from './remembered.ts';
import { STOP_WORDS } from './stop-words.ts';
import { splitWords } from './split-words.ts';
import type { TermCounts } from './term-counts.ts';
import { traitsOf } from './traits.ts';

/** Goes up when the same text gives other terms: an index made by an older one has to be made again. */
export const ANALYSER_VERSION = 2;

/** Most distinct terms kept of one text. A longer text is a file, and its first thousands of words tell what it is. */
const MOST_TERMS = 8_192;
const ACRONYM = /^\p{Lu}{2,}$/u;

/** Words between two moments at which a long text may be put aside: about two milliseconds' worth. */
const WORDS_AT_ONCE = 1_000;
/** Texts up to this length are analysed at once, in characters: about three milliseconds' worth. */
const AT_ONCE = 10_000;
/** Characters normalised at a time. */
const PIECE = 16_384;
/** Questions that are remembered, in characters. */
const QUERIES_REMEMBERED = 200_000;
/** How far back a place to cut is looked for, in characters. */
const CUT_REACH = 1_024;

/**
 * The terms by which a text is found, with how often each occurs: lower case, without accents, words by their stem
 * (`stem.ts`), identifiers, addresses and file names whole and by their parts, scripts without spaces by pairs of
 * characters (`split-words.ts`). Words that say nothing are left out of the index; they still count in the length.
 */
export function analyse(text: string): TermCounts {
  const steps = analysing(text);
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/** The same for a text of any length, with the event loop free for others every few milliseconds. */
export async function analyseInSteps(text: string): Promise<TermCounts> {
  if (text.length <= AT_ONCE) return analyse(text);
  const steps = analysing(text);
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function* analysing(text: string): Generator<undefined, TermCounts> {
  const counts = new Map<string, number>();
  let length = 0;
  let words = 0;
  for (const piece of pieces(text)) {
    for (const { word, terms } of splitWords(piece)) {
      words += 1;
      if (words % WORDS_AT_ONCE === 0) yield;
      length += Math.max(1, terms.length);
      // In capitals it is a name: the WHO, the US, IT.
      if (STOP_WORDS.has(word.toLowerCase()) && !ACRONYM.test(word)) continue;
      for (const term of terms) {
        // A mark alone is folded away.
        if (term === '') continue;
        const count = counts.get(term);
        if (count !== undefined) counts.set(term, count + 1);
        else if (counts.size < MOST_TERMS) counts.set(term, 1);
      }
    }
    yield;
  }
  return { terms: [...counts], length, traits: traitsOf(text), version: ANALYSER_VERSION };
}

/** A text in pieces, cut between words or sentences; a run of so many characters without either is cut where it is. */
function* pieces(text: string): Generator<string> {
  for (let at = 0; at < text.length;) {
    let end = Math.min(text.length, at + PIECE);
    if (end < text.length) {
      const gap = text.slice(end - CUT_REACH, end).search(/[\s。、，！？][^\s。、，！？]*$/u);
      if (gap !== -1) end -= CUT_REACH - gap - 1;
      // Never between the halves of a character.
      else if (/[\uD800-\uDBFF]/.test(text.charAt(end - 1))) end += 1;
    }
    yield text.slice(at, end);
    at = end;
  }
}

/**
 * The distinct terms of a question that can be looked up, in the order in which they stand. Remembered: one question is
 * looked up in turns, facts and causes.
 */
export const analyseQuery: (text: string) => readonly string[] = remembered(
  (text) => analyse(text).terms.map(([term]) => term),
  QUERIES_REMEMBERED,
);
