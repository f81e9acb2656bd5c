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
import type { Queries } from './queries.ts';

/** Events that hold any of the terms, best first. */
export async function searchEvents(
  db: Queries,
  { sessionId, terms, before, limit }: Parameters<CausalStore['search']>[0],
): Promise<{ event: RankedEvent; score: number }[]> {
  const events = await db.value<number>(
    `SELECT h.last_event_no FROM sessions s JOIN causal_heads h USING (session_id)
      WHERE session_id = $1 AND s.status <> 'importing'`,
    sessionId,
  );
  if (events === undefined || terms.length === 0) return [];
  const known = await run(db, sessionId, readTerms(events, terms));
  const { ranked, pruned } = await run(db, sessionId, score(events, known, limit));
  const found = await best(db, sessionId, ranked, before, limit);
  if (!pruned || found.length >= limit) return found;
  // Some of the best are gone or too late, and those behind them were not scored.
  const all = await run(db, sessionId, score(events, known, Infinity));
  return best(db, sessionId, all.ranked, before, limit);
}

async function run<T>(db: Queries, sessionId: string, ranking: Ranking<T>): Promise<T> {
  let step = ranking.next();
  while (step.done !== true) step = ranking.next(await answer(db, sessionId, step.value));
  return step.value;
}

async function answer(db: Queries, sessionId: string, question: IndexQuestion): Promise<number[][]> {
  if (question.ask === 'postings') {
    const rows = await db.all<{ at: number; postings: number[] }>(
      `SELECT asked.at, array_agg(found.packed ORDER BY found.packed DESC) AS postings
         FROM unnest($2::text[]) WITH ORDINALITY AS asked (term, at), LATERAL (
           SELECT (t.event_no * ${String(COUNT_SPAN)} + least(t.count, ${String(COUNT_SPAN - 1)}))::double precision AS packed
             FROM causal_terms t WHERE t.session_id = $1 AND t.term = asked.term
            ORDER BY t.event_no DESC LIMIT $3) AS found
        GROUP BY asked.at`,
      sessionId,
      question.terms,
      question.limit,
    );
    const found = new Map(rows.map((row) => [row.at, row.postings]));
    return question.terms.map((_, at) => found.get(at + 1) ?? []);
  }
  const rows = await db.all<{ event_no: number; count: number }>(
    `SELECT event_no, count FROM causal_terms WHERE session_id = $1 AND term = $2 AND event_no = ANY($3::bigint[])`,
    sessionId,
    question.terms[0],
    question.eventNos,
  );
  const counts = new Map(rows.map((row) => [row.event_no, row.count]));
  return [question.eventNos.map((eventNo) => counts.get(eventNo) ?? 0)];
}

/** The best events that are still there and happened early enough. */
async function best(
  db: Queries,
  sessionId: string,
  ranked: RankedNumber[],
  before: { happenedAt: number; eventNo: number } | null,
  limit: number,
): Promise<{ event: RankedEvent; score: number }[]> {
  const found: { event: RankedEvent; score: number }[] = [];
  // Most of the best are wanted: so many at once are enough as a rule.
  const portion = limit + 8;
  for (let at = 0; at < ranked.length && found.length < limit; at += portion) {
    const some = ranked.slice(at, at + portion);
    const rows = await db.all<RankedRow>(
      `SELECT ${RANKED_COLUMNS} FROM causal_events e WHERE e.session_id = $1 AND e.event_no = ANY($2::bigint[])`,
      sessionId,
      some.map(({ eventNo }) => eventNo),
    );
    const byNo = new Map(rows.map((row) => [row.event_no, row]));
    for (const { eventNo, score } of some) {
      const row = byNo.get(eventNo);
      if (row && found.length < limit && comesBefore(row, before)) {
        found.push({ event: rankedFromRow(row), score });
      }
    }
  }
  return found;
}
