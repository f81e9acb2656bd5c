import type { IndexLookup } from '../../store/turn-index.ts';
import { analyseQuery } from '../../text/analyse.ts';
import { membersOfKind } from '../../text/kinds.ts';
import { ASKING_WORDS } from '../../text/stop-words.ts';
import { stem } from '../../text/stem.ts';
import { timesNamed, type TimeSpan } from './dates.ts';
import type { RankingConstants } from './ranking-constants.ts';
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
/** Most members of kinds that are looked up with them. */
const MOST_MEMBERS = 96;
const ASKING_TERMS = new Set([...ASKING_WORDS].map(stem));
const ASKS_FOR_TIME = /\b(?:when|(?:what|which) (?:year|month|week|date|day|time))\b/iu;
const ASKS_FOR_NUMBER = /\bhow (?:many|much|long|often|old|far|big|tall)\b/iu;

/** The terms of a question, and things of the kinds that they name: for "pets" also dog, cat … */
export interface QuestionTerms {
  own: string[];
  members: string[];
}

/** What a question looks up. */
export function questionTerms(question: string): QuestionTerms {
  const own = analyseQuery(question).slice(0, MOST_QUESTION_TERMS);
  const members = new Set(own.flatMap(membersOfKind));
  for (const term of own) members.delete(term);
  return { own, members: [...members].slice(0, MOST_MEMBERS) };
}

/** @param now milliseconds since the epoch */
export function readQuestion(
  question: string,
  { own: terms, members }: QuestionTerms,
  index: Pick<IndexLookup, 'speakerNames' | 'minutes'>,
  now: number,
  { askingWord, nameWord, memberOfKind }: Pick<RankingConstants, 'askingWord' | 'nameWord' | 'memberOfKind'>,
): Question {
  const named = namedSpeakers(question, index.speakerNames);
  // Where there is nothing but a name, the name is what is looked for.
  const onlyNames = terms.every((term) => named.terms.has(term));
  const own = terms.map((term) => ({
    term,
    weight: named.terms.has(term) && !onlyNames ? nameWord : ASKING_TERMS.has(term) ? askingWord : 1,
  }));
  return {
    terms: [...own, ...members.map((term) => ({ term, weight: memberOfKind }))],
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
