import type { Database } from 'better-sqlite3';
import type { AgedEvent, RetentionStore } from '../retention-store.ts';
import { removeEventRow } from './causal-removal.ts';
import { prepared } from './connection.ts';

const AGED = 'event_no AS eventNo, min(happened_at, stored_at) AS at';

export function expiredEvents(
  database: Database,
  { sessionId, before, after, limit }: Parameters<RetentionStore['expiredEvents']>[0],
): AgedEvent[] {
  return prepared(
    database,
    `SELECT ${AGED} FROM causal_events INDEXED BY causal_events_by_age
      WHERE session_id = ? AND min(happened_at, stored_at) < ? AND event_no > ? ORDER BY event_no LIMIT +?`,
  ).all(sessionId, before, after, limit) as AgedEvent[];
}

export function linkedEvents(database: Database, sessionId: string, eventNos: number[]): AgedEvent[] {
  const others = prepared(
    database,
    `SELECT ${AGED} FROM causal_events WHERE session_id = @sessionId AND event_no IN (
       SELECT effect_no FROM causal_links WHERE session_id = @sessionId AND cause_no = @eventNo
       UNION
       SELECT cause_no FROM causal_links INDEXED BY causal_links_by_effect
        WHERE session_id = @sessionId AND effect_no = @eventNo)`,
  );
  const found = new Map<number, AgedEvent>();
  for (const eventNo of eventNos) {
    for (const event of others.all({ sessionId, eventNo }) as AgedEvent[]) found.set(event.eventNo, event);
  }
  return [...found.values()];
}

export function removeEvents(
  database: Database,
  { sessionId, eventNos, chain, before, now }: Parameters<RetentionStore['removeEvents']>[0],
): boolean {
  const inChain = new Set(chain);
  if (linkedEvents(database, sessionId, eventNos).some(({ eventNo }) => !inChain.has(eventNo))) return false;
  const age = prepared(
    database,
    `SELECT event_id AS eventId, min(happened_at, stored_at) AS at FROM causal_events
      WHERE session_id = ? AND event_no = ?`,
  );
  const rows = eventNos.flatMap((eventNo) => {
    const row = age.get(sessionId, eventNo) as { eventId: string; at: number } | undefined;
    return row ? [row] : [];
  });
  if (rows.some(({ at }) => at >= before)) return false;
  for (const { eventId } of rows) removeEventRow(database, { sessionId, eventId, by: 'rule', now });
  return true;
}
