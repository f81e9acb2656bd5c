import { RELATIONS, type Relation } from '../../store/causal-store.ts';
import type { Duck } from '../projection/duckdb.ts';

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

/** The session's causing links are read once; each step of the recursion joins with them. */
const SESSION_LINKS = `s AS MATERIALIZED (
    SELECT cause_no, effect_no, relation, confidence FROM links WHERE session_key = $1 AND ${CAUSING})`;

const up = (starts: string) => `up(no) AS (
    ${starts}
    UNION
    SELECT s.cause_no FROM up JOIN s ON s.effect_no = up.no)`;
const down = (starts: string) => `down(no) AS (
    ${starts}
    UNION
    SELECT s.effect_no FROM down JOIN s ON s.cause_no = down.no)`;

/** All links between an event and what led to it, however far back. */
export function ancestorEdges(duck: Duck, sessionKey: number, eventNos: number[]): Promise<Edge[]> {
  return edges(
    duck,
    `WITH RECURSIVE ${SESSION_LINKS}, ${up(startsOf(eventNos))}
     SELECT s.* FROM s JOIN up ON s.effect_no = up.no LIMIT ${String(MOST_EDGES + 1)}`,
    [sessionKey],
  );
}

/** All links between an event and what it led to. */
export function descendantEdges(duck: Duck, sessionKey: number, eventNos: number[]): Promise<Edge[]> {
  return edges(
    duck,
    `WITH RECURSIVE ${SESSION_LINKS}, ${down(startsOf(eventNos))}
     SELECT s.* FROM s JOIN down ON s.cause_no = down.no LIMIT ${String(MOST_EDGES + 1)}`,
    [sessionKey],
  );
}

/** Links of the other relations that end at any of these events: what prevented or superseded them. */
export function countersOf(duck: Duck, sessionKey: number, eventNos: number[]): Promise<Edge[]> {
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
  duck: Duck,
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
  duck: Duck,
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

function startsOf(eventNos: number[]): string {
  return `SELECT unnest([${eventNos.join()}]::INTEGER[])`;
}

async function edges(duck: Duck, sql: string, values: (number | string)[]): Promise<Edge[]> {
  const rows = await duck.rows(sql, values);
  return rows.map(([cause, effect, relation, confidence]) => ({
    cause: Number(cause),
    effect: Number(effect),
    relation: RELATIONS[Number(relation)] ?? 'caused',
    confidence: Number(confidence),
  }));
}
