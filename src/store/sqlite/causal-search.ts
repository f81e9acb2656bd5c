import type { Database } from 'better-sqlite3';
import type { CausalStore, RankedEvent } from '../causal-store.ts';
import { RANKED_COLUMNS, rankedFromRow, SHOWN, type RankedRow } from './causal-rows.ts';
import { prepared } from './connection.ts';

/** BM25's saturation of repeated terms (Robertson and Zaragoza 2009). Events are short: length is left out of it. */
const K1 = 1.2;
/** Newest entries of a term that are looked at: a word that more events hold tells next to nothing. */
const MOST_POSTINGS = 8_000;
/** Terms of a question that are looked up, rarest first where there are more. */
const MOST_TERMS = 24;
/** How deep and how far a chain is followed to its ends. */
const DEEPEST_CHAIN = 40;
const MOST_REACHED = 400;

/** The integer that a posting is read as: event number and count in one, for the speed of one column. */
const COUNT_SPAN = 256;

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
  const scores = new Map<number, number>();
  for (const postings of readPostings(database, session.session_key, terms)) {
    const { length } = postings;
    const weight = Math.log(1 + (session.last_event_no - length + 0.5) / (length + 0.5));
    for (const packed of postings) {
      const count = packed % COUNT_SPAN;
      const eventNo = (packed - count) / COUNT_SPAN;
      const gain = (weight * count * (K1 + 1)) / (count + K1);
      scores.set(eventNo, (scores.get(eventNo) ?? 0) + gain);
    }
  }
  return best(database, sessionId, scores, before, limit);
}

function readPostings(database: Database, sessionKey: number, terms: string[]): number[][] {
  const statement = prepared(
    database,
    `SELECT event_no * ${COUNT_SPAN} + min(count, ${COUNT_SPAN - 1}) FROM causal_terms
      WHERE session_key = ? AND term = ? ORDER BY event_no DESC LIMIT ${MOST_POSTINGS}`,
  ).pluck();
  return terms
    .map((term) => statement.all(sessionKey, term) as number[])
    .filter((postings) => postings.length > 0)
    .sort((a, b) => a.length - b.length)
    .slice(0, MOST_TERMS);
}

/** The best events that are still there and happened early enough; of equals the newer one. */
function best(
  database: Database,
  sessionId: string,
  scores: Map<number, number>,
  before: { happenedAt: number; eventNo: number } | null,
  limit: number,
): { event: RankedEvent; score: number }[] {
  const ranked = [...scores].sort((a, b) => b[1] - a[1] || b[0] - a[0]);
  const found: { event: RankedEvent; score: number }[] = [];
  const read = prepared(
    database,
    `SELECT ${RANKED_COLUMNS} FROM causal_events e WHERE e.session_id = ? AND e.event_no = ?`,
  );
  for (const [eventNo, score] of ranked) {
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

export function recentEvents(
  database: Database,
  input: Parameters<CausalStore['recentEvents']>[0],
): RankedEvent[] {
  const { sessionId, before, actor, conversationId, openOnly = false, limit } = input;
  const narrowed =
    actor !== undefined
      ? 'e.actor = @actor'
      : conversationId !== undefined
        ? 'e.conversation_id = @conversationId'
        : '1';
  const rows = prepared(
    database,
    `SELECT ${RANKED_COLUMNS} FROM causal_events e WHERE e.session_id = @sessionId AND ${narrowed}
        AND (e.happened_at, e.event_no) < (@happenedAt, @eventNo) AND ${SHOWN}
        ${openOnly ? 'AND open' : ''}
      ORDER BY e.happened_at DESC, e.event_no DESC LIMIT @limit`,
  ).all({
    sessionId,
    limit,
    ...(actor === undefined ? {} : { actor }),
    ...(actor !== undefined || conversationId === undefined ? {} : { conversationId }),
    happenedAt: before?.happenedAt ?? Number.MAX_SAFE_INTEGER,
    eventNo: before?.eventNo ?? Number.MAX_SAFE_INTEGER,
  }) as RankedRow[];
  return rows.map(rankedFromRow);
}

export function chainEnds(
  database: Database,
  sessionId: string,
  eventNos: number[],
): { eventNo: number; ends: number[] }[] {
  const ends = prepared(
    database,
    `WITH RECURSIVE reached (event_no, depth) AS (
       SELECT @eventNo, 0
       UNION
       SELECT l.effect_no, r.depth + 1 FROM reached r
         JOIN causal_links l ON l.session_id = @sessionId AND l.cause_no = r.event_no
        WHERE l.relation IN ('caused', 'enabled') AND r.depth < ${DEEPEST_CHAIN}
       LIMIT ${MOST_REACHED})
     SELECT DISTINCT r.event_no FROM reached r WHERE NOT EXISTS (
       SELECT 1 FROM causal_links o WHERE o.session_id = @sessionId AND o.cause_no = r.event_no
         AND o.relation IN ('caused', 'enabled'))`,
  ).pluck();
  return eventNos.map((eventNo) => ({ eventNo, ends: ends.all({ sessionId, eventNo }) as number[] }));
}
