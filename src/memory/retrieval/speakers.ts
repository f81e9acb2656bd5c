import { fold } from '../../text/fold.ts';
import { splitWords } from '../../text/split-words.ts';

/** What a question says about who spoke. */
export interface NamedSpeakers {
  /** Codes of the speakers it names; empty when it names none. */
  codes: ReadonlySet<number>;
  /** Terms of the question that are speakers' names: they say who, not what. */
  terms: ReadonlySet<string>;
}

/** The agent whose name stands for the person who asks. */
const ASKER = 'wykeve';
const FIRST_PERSON = /\b(?:i|me|my|mine|i'm|i've|i'd|we|our)\b/iu;
/** Shortest beginning of a name that counts as a short form of it: Mel for Melanie. */
const SHORTEST_SHORT_FORM = 3;

/**
 * Which of the session's speakers the question names: by a name, by a capitalised short form of one ("Mel"), or, where
 * no one is named, by "I" and "my", which mean the person who asks.
 */
export function namedSpeakers(question: string, speakerNames: readonly string[]): NamedSpeakers {
  const codes = new Set<number>();
  const terms = new Set<string>();
  const words = [...splitWords(question)];
  speakerNames.forEach((name, code) => {
    const parts = fold(name.normalize('NFKC'))
      .split(/[^\p{L}\p{N}]+/u)
      .filter(Boolean);
    for (const { word, terms: found } of words) {
      const folded = fold(word);
      const short = /^\p{Lu}/u.test(word) && folded.length >= SHORTEST_SHORT_FORM;
      if (!parts.some((part) => part === folded || (short && part.startsWith(folded)))) continue;
      codes.add(code);
      for (const term of found) terms.add(term);
    }
  });
  if (codes.size === 0 && FIRST_PERSON.test(question)) {
    const asker = speakerNames.indexOf(ASKER);
    if (asker >= 0) codes.add(asker);
  }
  return { codes, terms };
}
