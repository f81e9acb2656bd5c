import type { Database } from 'better-sqlite3';
import type { CausalStore, RankedEvent } from '../causal-store.ts';
import { rankedFromRow, type RankedRow } from '../rows/causal-rows.ts';
import {
  comesBefore,
  COUNT_SPAN,
  readTerms,
  score,
  type IndexQuestion,
  type RankedNumber,
  type Ranking,
} from '../rows/event-ranking.ts';
import { RANKED_COLUMNS } from './causal-rows.ts';
import { prepared } from './connection.ts';

/** Events that hold any of the terms, best first. */
export function searchEvents(
  database: Database,
  { sessionId, terms, before, limit }: Parameters<CausalStore['search']>[0],
): { event: RankedEvent; score: number }[] {
  const session = prepared(
    database,
    `SELECT s.session_key AS sessionKey, h.last_event_no AS events FROM sessions s JOIN causal_heads h USING (session_id)
      WHERE session_id = ? AND status <> 'importing'`,
  ).get(sessionId) as { sessionKey: number; events: number } | undefined;
  if (!session || terms.length === 0) return [];
  const { sessionKey, events } = session;
  const known = run(database, sessionKey, readTerms(events, terms));
  const { ranked, pruned } = run(database, sessionKey, score(events, known, limit));
  const found = best(database, sessionId, ranked, before, limit);
  if (!pruned || found.length >= limit) return found;
  // Some of the best are gone or too late, and those behind them were not scored.
  const all = run(database, sessionKey, score(events, known, Infinity));
  return best(database, sessionId, all.ranked, before, limit);
}

function run<T>(database: Database, sessionKey: number, ranking: Ranking<T>): T {
  let step = ranking.next();
  while (step.done !== true) step = ranking.next(answer(database, sessionKey, step.value));
  return step.value;
}

function answer(database: Database, sessionKey: number, question: IndexQuestion): number[][] {
  if (question.ask === 'postings') {
    const read = prepared(
      database,
      `SELECT event_no * ${COUNT_SPAN} + min(count, ${COUNT_SPAN - 1}) FROM causal_terms
        WHERE session_key = ? AND term = ? ORDER BY event_no DESC LIMIT +?`,
    ).pluck();
    return question.terms.map((term) => read.all(sessionKey, term, question.limit) as number[]);
  }
  const [term] = question.terms;
  const find = prepared(
    database,
    'SELECT count FROM causal_terms WHERE session_key = ? AND term = ? AND event_no = ?',
  ).pluck();
  return [
    question.eventNos.map((eventNo) => (find.get(sessionKey, term, eventNo) as number | undefined) ?? 0),
  ];
}

/** The best events that are still there and happened early enough. */
function best(
  database: Database,
  sessionId: string,
  ranked: RankedNumber[],
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
    const row = read.get(sessionId, eventNo) as RankedRow | undefined;
    if (row && comesBefore(row, before)) found.push({ event: rankedFromRow(row), score });
  }
  return found;
}
