import { RELATIONS, type Relation } from '../../store/causal-store.ts';
import type { DuckReader } from '../projection/duckdb.ts';

/** A link as graph questions see it: event numbers, not ids. */
export interface Edge {
  cause: number;
  effect: number;
  relation: Relation;
  confidence: number;
}

/** Relations along which chains run, as the projection codes them: caused and enabled. */
const CAUSING = 'relation <= 1';
/** Most links that are read for one answer; beyond it the answer is cut and says so. */
export const MOST_EDGES = 20_000;

/** All links between an event and what led to it, however far back. */
export function ancestorEdges(duck: DuckReader, sessionKey: number, eventNos: number[]): Promise<Edge[]> {
  return walk(duck, sessionKey, eventNos, { from: 'effect_no', to: 'cause_no' });
}

/** All links between an event and what it led to. */
export function descendantEdges(duck: DuckReader, sessionKey: number, eventNos: number[]): Promise<Edge[]> {
  return walk(duck, sessionKey, eventNos, { from: 'cause_no', to: 'effect_no' });
}

/**
 * Each step joins the few events that were just reached with the table itself: DuckDB passes their numbers on to the
 * scan, which skips all row groups without them (see schema.ts). The links are carried along, so that they are not
 * looked for again at the end.
 */
function walk(
  duck: DuckReader,
  sessionKey: number,
  eventNos: number[],
  { from, to }: { from: string; to: string },
): Promise<Edge[]> {
  if (eventNos.length === 0) return Promise.resolve([]);
  return edges(
    duck,
    `WITH RECURSIVE reached(no, cause_no, effect_no, relation, confidence) AS (
         SELECT unnest([${eventNos.join()}]::INTEGER[]), NULL::INTEGER, NULL::INTEGER, NULL::UTINYINT, NULL::DOUBLE
         UNION
         SELECT l.${to}, l.cause_no, l.effect_no, l.relation, l.confidence
           FROM links l JOIN reached r ON l.${from} = r.no WHERE l.session_key = $1 AND l.${CAUSING})
     SELECT cause_no, effect_no, relation, confidence FROM reached WHERE cause_no IS NOT NULL
      LIMIT ${String(MOST_EDGES + 1)}`,
    [sessionKey],
  );
}

/** Links of the other relations that end at any of these events: what prevented or superseded them. */
export function countersOf(duck: DuckReader, sessionKey: number, eventNos: number[]): Promise<Edge[]> {
  if (eventNos.length === 0) return Promise.resolve([]);
  return edges(
    duck,
    `SELECT cause_no, effect_no, relation, confidence FROM links
      WHERE session_key = $1 AND NOT ${CAUSING} AND effect_no IN (${eventNos.join()}) LIMIT ${String(MOST_EDGES)}`,
    [sessionKey],
  );
}

/** Event numbers around one, nearest first, over links of every kind in both directions; the event itself included. */
export async function neighbourhood(
  duck: DuckReader,
  sessionKey: number,
  eventNo: number,
  limit: number,
): Promise<number[]> {
  const rows = await duck.rows(
    `WITH RECURSIVE s AS MATERIALIZED (
         SELECT cause_no AS a, effect_no AS b FROM links WHERE session_key = $1
         UNION ALL SELECT effect_no, cause_no FROM links WHERE session_key = $1),
       -- A key is kept with its first distance: each event is visited once.
       near(no, distance) USING KEY (no) AS (
         SELECT $2::INTEGER, 0
         UNION
         SELECT s.b, min(near.distance) + 1 FROM near JOIN s ON s.a = near.no
           LEFT JOIN recurring.near seen ON seen.no = s.b
          WHERE seen.no IS NULL AND near.distance < ${String(limit)} GROUP BY s.b)
     SELECT no FROM near ORDER BY distance, no DESC LIMIT $3`,
    [sessionKey, eventNo, limit],
  );
  return rows.map(([no]) => Number(no));
}

/** Numbers of the newest events before one, by time; the newest of all with null. */
export async function newestEvents(
  duck: DuckReader,
  sessionKey: number,
  before: { happenedAt: number; eventNo: number } | null,
  limit: number,
): Promise<number[]> {
  const rows = await duck.rows(
    `SELECT event_no FROM events WHERE session_key = $1 AND (happened_at < $2 OR (happened_at = $2 AND event_no < $3))
      ORDER BY happened_at DESC, event_no DESC LIMIT $4`,
    [sessionKey, before?.happenedAt ?? Number.MAX_SAFE_INTEGER, before?.eventNo ?? 2 ** 31 - 1, limit],
  );
  return rows.map(([no]) => Number(no));
}

async function edges(duck: DuckReader, sql: string, values: (number | string)[]): Promise<Edge[]> {
  const rows = await duck.rows(sql, values);
  return rows.map(([cause, effect, relation, confidence]) => ({
    cause: Number(cause),
    effect: Number(effect),
    relation: RELATIONS[Number(relation)] ?? 'caused',
    confidence: Number(confidence),
  }));
}
