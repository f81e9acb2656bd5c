/** How far is looked along chains and for decisions. */
export const CHAIN_LIMITS = {
  /** How deep and how far a chain is followed to its ends. */
  deepest: 40,
  reached: 400,
  /** Newest decisions that are looked at. */
  decisions: 300,
} as const;

/** BM25's saturation of repeated terms (Robertson and Zaragoza 2009). Events are short: length is left out of it. */
const K1 = 1.2;
/** Newest entries of a term that are looked at: a word that more events hold tells next to nothing. */
const MOST_POSTINGS = 8_000;
/** Terms of a question that are looked up, rarest first where there are more. */
const MOST_TERMS = 24;
/** The integer that a posting is read as: event number and count in one, for the speed of one column. */
export const COUNT_SPAN = 256;
/**
 * A word is frequent when more events hold it. Once rarer words have brought up as many events as are wanted, frequent
 * ones bring up no more: they only tell apart what is there. Below this many events nothing is left out.
 */
const FREQUENT = 1_000;
/** Finding a posting by its key costs as much as reading so many in a row. */
const LOOKUP_COST = 20;
/** How often an event is reckoned to hold a frequent word at most: events are a sentence long. */
const OFTEN = 1;

interface Term {
  term: string;
  /** How many events hold it; of a frequent word an estimate. */
  count: number;
  /** Packed, newest first; null of a frequent word, whose postings are read when they are needed. */
  postings: number[] | null;
  /** How rare it is. */
  weight: number;
  /** Most that it adds to an event. */
  most: number;
}

/** What ranking asks the index for. */
export type IndexQuestion =
  /** The newest postings of each term, packed (`event_no * COUNT_SPAN + count`), newest first. */
  | { ask: 'postings'; terms: readonly string[]; limit: number }
  /** How often each of these events holds the term, 0 where it does not; one list. */
  | { ask: 'counts'; terms: [string]; eventNos: number[] };

/** Ranking, which stops wherever it needs something of the index: whoever runs it answers, at once or later. */
export type Ranking<T> = Generator<IndexQuestion, T, number[][]>;

export interface RankedNumber {
  eventNo: number;
  score: number;
}

/** The rarest of the terms, rarest first. @param events number of the newest event */
export function* readTerms(events: number, terms: readonly string[]): Ranking<Term[]> {
  const newest = yield { ask: 'postings', terms, limit: FREQUENT + 1 };
  return terms
    .map((term, at) => termOf(term, newest[at] ?? [], events))
    .filter(({ count }) => count > 0)
    .sort((a, b) => a.count - b.count)
    .slice(0, MOST_TERMS);
}

function termOf(term: string, newest: number[], events: number): Term {
  const frequent = newest.length > FREQUENT;
  // The newest of a frequent word reach back so far; before that it will have been as frequent.
  const oldest = Math.floor((newest.at(-1) ?? 0) / COUNT_SPAN);
  const guess = Math.round((newest.length * events) / Math.max(1, events - oldest));
  const count = frequent ? Math.min(guess, MOST_POSTINGS) : newest.length;
  const weight = Math.log(1 + (events - count + 0.5) / (count + 0.5));
  const often = frequent
    ? OFTEN
    : newest.reduce((largest, packed) => Math.max(largest, packed % COUNT_SPAN), 0);
  return { term, count, postings: frequent ? null : newest, weight, most: weight * saturated(often) };
}

const saturated = (count: number) => (count * (K1 + 1)) / (count + K1);

/**
 * BM25 of the events, rarest term first. When frequent words only tell apart what is there, those that the words still
 * left cannot bring among the best are dropped (MaxScore, Turtle and Flood 1995). Returns event numbers with their
 * scores, best first; of equals the newer one. `pruned` says whether frequent words may have left something out.
 */
export function* score(
  events: number,
  terms: Term[],
  wanted: number,
): Ranking<{ ranked: RankedNumber[]; pruned: boolean }> {
  // By event number; numbers are dense, and an array of numbers is several times as fast as a map.
  const scores = new Float64Array(events + 1);
  let touched: number[] = [];
  let pruned = false;
  let left = terms.reduce((sum, { most }) => sum + most, 0);
  for (const term of terms) {
    const adds = term.postings !== null || touched.length < wanted;
    if (!adds) {
      pruned = true;
      touched = stillAmongBest(touched, scores, wanted, left);
    }
    left -= term.most;
    if (!adds && touched.length * LOOKUP_COST < term.count) {
      const [counts = []] = yield { ask: 'counts', terms: [term.term], eventNos: touched };
      touched.forEach((eventNo, at) => {
        const count = counts[at] ?? 0;
        if (count === 0) return;
        scores[eventNo] = (scores[eventNo] ?? 0) + term.weight * saturated(Math.min(count, COUNT_SPAN - 1));
      });
      continue;
    }
    const [postings = []] = term.postings
      ? [term.postings]
      : yield { ask: 'postings', terms: [term.term], limit: MOST_POSTINGS };
    for (const packed of postings) {
      const count = packed % COUNT_SPAN;
      const eventNo = (packed - count) / COUNT_SPAN;
      const known = scores[eventNo] ?? 0;
      if (known === 0) {
        if (!adds) continue;
        touched.push(eventNo);
      }
      scores[eventNo] = known + term.weight * saturated(count);
    }
  }
  const ranked = touched
    .map((eventNo) => ({ eventNo, score: scores[eventNo] ?? 0 }))
    .sort((a, b) => b.score - a.score || b.eventNo - a.eventNo);
  return { ranked, pruned };
}

/** Those that come to the score of the last of the `wanted` best, if all that is `left` were added to them. */
function stillAmongBest(touched: number[], scores: Float64Array, wanted: number, left: number): number[] {
  const values = Float64Array.from(touched, (eventNo) => scores[eventNo] ?? 0).sort();
  const least = values[values.length - wanted] ?? 0;
  return touched.filter((eventNo) => (scores[eventNo] ?? 0) + left >= least);
}

/** Whether an event comes before a moment, and is not the one that is asked about. */
export function comesBefore(
  row: { happened_at: number; event_no: number },
  before: { happenedAt: number; eventNo: number } | null,
): boolean {
  return (
    before === null ||
    row.happened_at < before.happenedAt ||
    (row.happened_at === before.happenedAt && row.event_no < before.eventNo)
  );
}
