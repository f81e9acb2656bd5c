import type { Database } from 'better-sqlite3';
import type { CausalStore, RankedEvent } from '../causal-store.ts';
import { RANKED_COLUMNS, rankedFromRow, type RankedRow } from './causal-rows.ts';
import { prepared } from './connection.ts';

/** BM25's saturation of repeated terms (Robertson and Zaragoza 2009). Events are short: length is left out of it. */
const K1 = 1.2;
/** Newest entries of a term that are looked at: a word that more events hold tells next to nothing. */
const MOST_POSTINGS = 8_000;
/** Terms of a question that are looked up, rarest first where there are more. */
const MOST_TERMS = 24;
/** The integer that a posting is read as: event number and count in one, for the speed of one column. */
const COUNT_SPAN = 256;
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

/** Events that hold any of the terms, best first. */
export function searchEvents(
  database: Database,
  { sessionId, terms, before, limit }: Parameters<CausalStore['search']>[0],
): { event: RankedEvent; score: number }[] {
  const session = prepared(
    database,
    `SELECT s.session_key, h.last_event_no FROM sessions s JOIN causal_heads h USING (session_id)
      WHERE session_id = ? AND status <> 'importing'`,
  ).get(sessionId) as { session_key: number; last_event_no: number } | undefined;
  if (!session || terms.length === 0) return [];
  const index: Index = { database, sessionKey: session.session_key, events: session.last_event_no };
  const known = readTerms(index, terms);
  const { ranked, pruned } = score(index, known, limit);
  const found = best(database, sessionId, ranked, before, limit);
  if (!pruned || found.length >= limit) return found;
  // Some of the best are gone or too late, and those behind them were not scored.
  return best(database, sessionId, score(index, known, Infinity).ranked, before, limit);
}

interface Index {
  database: Database;
  sessionKey: number;
  /** Number of the newest event. */
  events: number;
}

/** The rarest terms, rarest first. */
function readTerms(index: Index, terms: string[]): Term[] {
  return terms
    .map((term) => readTerm(index, term))
    .filter(({ count }) => count > 0)
    .sort((a, b) => a.count - b.count)
    .slice(0, MOST_TERMS);
}

function readTerm(index: Index, term: string): Term {
  const { events } = index;
  const newest = postingsOf(index, term, FREQUENT + 1);
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

/** Newest first, packed. */
function postingsOf({ database, sessionKey }: Index, term: string, limit: number): number[] {
  return prepared(
    database,
    `SELECT event_no * ${COUNT_SPAN} + min(count, ${COUNT_SPAN - 1}) FROM causal_terms
      WHERE session_key = ? AND term = ? ORDER BY event_no DESC LIMIT ?`,
  )
    .pluck()
    .all(sessionKey, term, limit) as number[];
}

const saturated = (count: number) => (count * (K1 + 1)) / (count + K1);

/**
 * BM25 of the events, rarest term first. When frequent words only tell apart what is there, those that the words still
 * left cannot bring among the best are dropped (MaxScore, Turtle and Flood 1995). Returns event numbers with their
 * scores, best first; of equals the newer one. `pruned` says whether frequent words may have left something out.
 */
function score(
  index: Index,
  terms: Term[],
  wanted: number,
): { ranked: { eventNo: number; score: number }[]; pruned: boolean } {
  // By event number; numbers are dense, and an array of numbers is several times as fast as a map.
  const scores = new Float64Array(index.events + 1);
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
    if (!adds && touched.length * LOOKUP_COST < term.count) lookUp(index, term, touched, scores);
    else {
      for (const packed of term.postings ?? postingsOf(index, term.term, MOST_POSTINGS)) {
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
  }
  const ranked = touched
    .map((eventNo) => ({ eventNo, score: scores[eventNo] ?? 0 }))
    .sort((a, b) => b.score - a.score || b.eventNo - a.eventNo);
  return { ranked, pruned };
}

/** Adds a term to the scores of these events, one by one. */
function lookUp(
  { database, sessionKey }: Index,
  { term, weight }: Term,
  eventNos: number[],
  scores: Float64Array,
): void {
  const find = prepared(
    database,
    'SELECT count FROM causal_terms WHERE session_key = ? AND term = ? AND event_no = ?',
  ).pluck();
  for (const eventNo of eventNos) {
    const count = find.get(sessionKey, term, eventNo) as number | undefined;
    if (count === undefined) continue;
    scores[eventNo] = (scores[eventNo] ?? 0) + weight * saturated(Math.min(count, COUNT_SPAN - 1));
  }
}

/** Those that come to the score of the last of the `wanted` best, if all that is `left` were added to them. */
function stillAmongBest(touched: number[], scores: Float64Array, wanted: number, left: number): number[] {
  const values = Float64Array.from(touched, (eventNo) => scores[eventNo] ?? 0).sort();
  const least = values[values.length - wanted] ?? 0;
  return touched.filter((eventNo) => (scores[eventNo] ?? 0) + left >= least);
}

/** The best events that are still there and happened early enough. */
function best(
  database: Database,
  sessionId: string,
  ranked: { eventNo: number; score: number }[],
  before: { happenedAt: number; eventNo: number } | null,
  limit: number,
): { event: RankedEvent; score: number }[] {
  const found: { event: RankedEvent; score: number }[] = [];
  const read = prepared(
    database,
    `SELECT ${RANKED_COLUMNS} FROM causal_events e WHERE e.session_id = ? AND e.event_no = ?`,
  );
  for (const { eventNo, score } of ranked) {
    if (found.length >= limit) break;
    if (before?.eventNo === eventNo) continue;
    const row = read.get(sessionId, eventNo) as RankedRow | undefined;
    if (!row || (before && !isBefore(row, before))) continue;
    found.push({ event: rankedFromRow(row), score });
  }
  return found;
}

function isBefore(row: RankedRow, before: { happenedAt: number; eventNo: number }): boolean {
  return (
    row.happened_at < before.happenedAt ||
    (row.happened_at === before.happenedAt && row.event_no < before.eventNo)
  );
}
