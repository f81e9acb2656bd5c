import type { CausalStore, RankedEvent } from '../causal-store.ts';
import { rankedFromRow, type RankedRow } from '../rows/causal-rows.ts';
import { CHAIN_LIMITS } from '../rows/event-ranking.ts';
import { OPEN, RANKED_COLUMNS, SHOWN } from './causal-rows.ts';
import type { Queries } from './queries.ts';

export async function recentEvents(
  db: Queries,
  input: Parameters<CausalStore['recentEvents']>[0],
): Promise<RankedEvent[]> {
  const { sessionId, before, actor, conversationId, openOnly = false, limit } = input;
  const [column, value] =
    actor !== undefined ? ['actor', actor] : (['conversation_id', conversationId] as const);
  const narrowed = value === undefined ? '' : `AND e.${column} = $5`;
  const rows = await db.all<RankedRow>(
    `SELECT ${RANKED_COLUMNS} FROM causal_events e WHERE e.session_id = $1 ${narrowed}
        AND (e.happened_at, e.event_no) < ($2::bigint, $3::bigint) AND ${SHOWN} ${openOnly ? `AND ${OPEN}` : ''}
      ORDER BY e.happened_at DESC, e.event_no DESC LIMIT $4`,
    sessionId,
    before?.happenedAt ?? Number.MAX_SAFE_INTEGER,
    before?.eventNo ?? Number.MAX_SAFE_INTEGER,
    limit,
    ...(value === undefined ? [] : [value]),
  );
  return rows.map(rankedFromRow);
}

export async function inForce(
  db: Queries,
  { sessionId, before, actor, limit }: Parameters<CausalStore['inForce']>[0],
): Promise<RankedEvent[]> {
  const rows = await db.all<RankedRow>(
    `SELECT ${RANKED_COLUMNS} FROM (
         SELECT DISTINCT cause_no FROM causal_links WHERE session_id = $1 AND relation = 'enabled'
          ORDER BY cause_no DESC LIMIT ${String(CHAIN_LIMITS.decisions)}) d
       JOIN causal_events e ON e.session_id = $1 AND e.event_no = d.cause_no
      WHERE ($2::text IS NULL OR e.actor = $2) AND (e.happened_at, e.event_no) < ($3::bigint, $4::bigint)
        AND NOT EXISTS (SELECT 1 FROM causal_links s
          WHERE s.session_id = $1 AND s.effect_no = e.event_no AND s.relation = 'superseded') AND ${SHOWN}
      ORDER BY e.happened_at DESC, e.event_no DESC LIMIT $5`,
    sessionId,
    actor ?? null,
    before.happenedAt,
    before.eventNo,
    limit,
  );
  return rows.map(rankedFromRow);
}

export async function chainEnds(
  db: Queries,
  sessionId: string,
  eventNos: number[],
): Promise<{ eventNo: number; ends: number[] }[]> {
  const rows = await db.all<{ event_no: number; end_no: number }>(
    `SELECT asked.event_no, found.event_no AS end_no FROM unnest($2::bigint[]) AS asked (event_no),
       LATERAL (
         WITH RECURSIVE reached (event_no, depth) AS (
           SELECT asked.event_no, 0
           UNION
           SELECT o.effect_no, r.depth + 1 FROM reached r
             JOIN causal_links o ON o.session_id = $1 AND o.cause_no = r.event_no
            WHERE o.relation IN ('caused', 'enabled') AND r.depth < ${String(CHAIN_LIMITS.deepest)})
         SELECT DISTINCT r.event_no FROM (SELECT event_no FROM reached LIMIT ${String(CHAIN_LIMITS.reached)}) AS r
          WHERE NOT EXISTS (SELECT 1 FROM causal_links o WHERE o.session_id = $1 AND o.cause_no = r.event_no
            AND o.relation IN ('caused', 'enabled'))) AS found
      ORDER BY asked.event_no, found.event_no`,
    sessionId,
    [...new Set(eventNos)],
  );
  const ends = new Map<number, number[]>();
  for (const row of rows) ends.set(row.event_no, [...(ends.get(row.event_no) ?? []), row.end_no]);
  return eventNos.map((eventNo) => ({ eventNo, ends: ends.get(eventNo) ?? [] }));
}
