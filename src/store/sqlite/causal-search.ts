import type { Database } from 'better-sqlite3';
import type { CausalStore, RankedEvent } from '../causal-store.ts';
import { rankedFromRow, type RankedRow } from '../rows/causal-rows.ts';
import { CHAIN_LIMITS } from '../rows/event-ranking.ts';
import { LINKS_BY_CAUSE, RANKED_COLUMNS, SHOWN } from './causal-rows.ts';
import { prepared } from './connection.ts';

const { deepest: DEEPEST_CHAIN, reached: MOST_REACHED, decisions: MOST_DECISIONS } = CHAIN_LIMITS;

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
      ORDER BY e.happened_at DESC, e.event_no DESC LIMIT +@limit`,
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

export function inForce(
  database: Database,
  { sessionId, before, actor, limit }: Parameters<CausalStore['inForce']>[0],
): RankedEvent[] {
  const rows = prepared(
    database,
    `SELECT ${RANKED_COLUMNS} FROM (
         SELECT DISTINCT cause_no FROM causal_links INDEXED BY causal_links_enabling
          WHERE session_id = @sessionId AND relation = 'enabled' ORDER BY cause_no DESC LIMIT ${MOST_DECISIONS}) d
       CROSS JOIN causal_events e ON e.session_id = @sessionId AND e.event_no = d.cause_no
      WHERE (@actor IS NULL OR e.actor = @actor) AND (e.happened_at, e.event_no) < (@happenedAt, @eventNo)
        AND NOT EXISTS (SELECT 1 FROM causal_links s INDEXED BY causal_links_by_effect
          WHERE s.session_id = @sessionId AND s.effect_no = e.event_no AND s.relation = 'superseded') AND ${SHOWN}
      ORDER BY e.happened_at DESC, e.event_no DESC LIMIT +@limit`,
  ).all({ sessionId, ...before, actor: actor ?? null, limit }) as RankedRow[];
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
       SELECT o.effect_no, r.depth + 1 FROM reached r
         CROSS JOIN ${LINKS_BY_CAUSE} ON o.session_id = @sessionId AND o.cause_no = r.event_no
        WHERE o.relation IN ('caused', 'enabled') AND r.depth < ${DEEPEST_CHAIN}
       LIMIT ${MOST_REACHED})
     SELECT DISTINCT r.event_no FROM reached r WHERE NOT EXISTS (
       SELECT 1 FROM ${LINKS_BY_CAUSE} WHERE o.session_id = @sessionId AND o.cause_no = r.event_no
         AND o.relation IN ('caused', 'enabled'))`,
  ).pluck();
  return eventNos.map((eventNo) => ({ eventNo, ends: ends.all({ sessionId, eventNo }) as number[] }));
}
