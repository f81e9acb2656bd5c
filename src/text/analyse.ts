import { STOP_WORDS } from './stop-words.ts';
import { splitWords } from './split-words.ts';
import type { TermCounts } from './term-counts.ts';
import { traitsOf } from './traits.ts';

/** Goes up when the same text gives other terms: an index made by an older one has to be made again. */
export const ANALYSER_VERSION = 2;

/** Most distinct terms kept of one text. A longer text is a file, and its first thousands of words tell what it is. */
const MOST_TERMS = 8_192;
const ACRONYM = /^\p{Lu}{2,}$/u;

/**
 * The terms by which a text is found, with how often each occurs: lower case, without accents, words by their stem
 * (`stem.ts`), identifiers, addresses and file names whole and by their parts, scripts without spaces by pairs of
 * characters (`split-words.ts`). Words that say nothing are left out of the index; they still count in the length.
 */
export function analyse(text: string): TermCounts {
  const counts = new Map<string, number>();
  let length = 0;
  for (const { word, terms } of splitWords(text)) {
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
  return { terms: [...counts], length, traits: traitsOf(text) };
}

/** The distinct terms of a question that can be looked up, in the order in which they stand. */
export function analyseQuery(text: string): string[] {
  return analyse(text).terms.map(([term]) => term);
}
