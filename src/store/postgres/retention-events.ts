import type { AgedEvent, RetentionStore } from '../retention-store.ts';
import { removeEventRow } from './causal-removal.ts';
import type { Queries } from './queries.ts';
import { lockIfThere } from './session-lock.ts';

const AGED = 'event_no AS "eventNo", least(happened_at, stored_at) AS at';

export function expiredEvents(
  db: Queries,
  { sessionId, before, after, limit }: Parameters<RetentionStore['expiredEvents']>[0],
): Promise<AgedEvent[]> {
  return db.all<AgedEvent>(
    `SELECT ${AGED} FROM causal_events
      WHERE session_id = $1 AND least(happened_at, stored_at) < $2 AND event_no > $3 ORDER BY event_no LIMIT $4`,
    sessionId,
    before,
    after,
    limit,
  );
}

export function linkedEvents(
  db: Queries,
  sessionId: string,
  eventNos: readonly number[],
): Promise<AgedEvent[]> {
  return db.all<AgedEvent>(
    `SELECT ${AGED} FROM causal_events WHERE session_id = $1 AND event_no IN (
       SELECT effect_no FROM causal_links WHERE session_id = $1 AND cause_no = ANY($2::bigint[])
       UNION
       SELECT cause_no FROM causal_links WHERE session_id = $1 AND effect_no = ANY($2::bigint[]))
      ORDER BY event_no`,
    sessionId,
    eventNos,
  );
}

export async function removeEvents(
  db: Queries,
  { sessionId, eventNos, chain, before, now }: Parameters<RetentionStore['removeEvents']>[0],
): Promise<boolean> {
  // Erased meanwhile: nothing is left to be removed.
  if (!(await lockIfThere(db, sessionId))) return true;
  const inChain = new Set(chain);
  const linked = await linkedEvents(db, sessionId, eventNos);
  if (linked.some(({ eventNo }) => !inChain.has(eventNo))) return false;
  const rows = await db.all<{ eventId: string; at: number }>(
    `SELECT event_id AS "eventId", least(happened_at, stored_at) AS at FROM causal_events
      WHERE session_id = $1 AND event_no = ANY($2::bigint[]) ORDER BY array_position($2::bigint[], event_no)`,
    sessionId,
    eventNos,
  );
  if (rows.some(({ at }) => at >= before)) return false;
  for (const { eventId } of rows) await removeEventRow(db, { sessionId, eventId, by: 'rule', now });
  return true;
}
