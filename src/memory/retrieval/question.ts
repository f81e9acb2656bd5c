import type { IndexLookup } from '../../store/turn-index.ts';
import { analyseQuery } from '../../text/analyse.ts';
import { ASKING_WORDS } from '../../text/stop-words.ts';
import { stem } from '../../text/stem.ts';
import { timesNamed, type TimeSpan } from './dates.ts';
import { namedSpeakers } from './speakers.ts';

/** A term to look for, and how much it counts. */
export interface WeightedTerm {
  term: string;
  weight: number;
}

/** A question, read against the session it is put to. */
export interface Question {
  terms: WeightedTerm[];
  /** Codes of the speakers it names. */
  speakers: ReadonlySet<number>;
  spans: TimeSpan[];
  asksForTime: boolean;
  asksForNumber: boolean;
}

/** Most terms of a question that are looked up. A directive may bring a whole file with it. */
const MOST_QUESTION_TERMS = 64;
const ASKING_TERMS = new Set([...ASKING_WORDS].map(stem));
const ASKS_FOR_TIME = /\b(?:when|(?:what|which) (?:year|month|week|date|day|time))\b/iu;
const ASKS_FOR_NUMBER = /\bhow (?:many|much|long|often|old|far|big|tall)\b/iu;

/** The terms of a question, as they are looked up. */
export function questionTerms(question: string): string[] {
  return analyseQuery(question).slice(0, MOST_QUESTION_TERMS);
}

/** @param now milliseconds since the epoch */
export function readQuestion(
  question: string,
  index: Pick<IndexLookup, 'speakerNames' | 'minutes'>,
  now: number,
  askingWord: number,
): Question {
  const named = namedSpeakers(question, index.speakerNames);
  const terms = questionTerms(question);
  const telling = terms.filter((term) => !named.terms.has(term));
  return {
    // Where there is nothing but a name, the name is what is looked for.
    terms: (telling.length > 0 ? telling : terms).map((term) => ({
      term,
      weight: ASKING_TERMS.has(term) ? askingWord : 1,
    })),
    speakers: named.codes,
    spans: timesNamed(question, now, () => spanOf(index.minutes)),
    asksForTime: ASKS_FOR_TIME.test(question),
    asksForNumber: ASKS_FOR_NUMBER.test(question),
  };
}

function spanOf(minutes: Int32Array): TimeSpan {
  let [from, to] = [Infinity, -Infinity];
  for (const minute of minutes) {
    if (minute < from) from = minute;
    if (minute > to) to = minute;
  }
  return from <= to ? { from: from * 60_000, to: to * 60_000 } : { from: 0, to: 0 };
}
