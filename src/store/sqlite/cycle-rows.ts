import type { Database } from 'better-sqlite3';
import type { CycleEventRecord } from '../cycle-store.ts';
import type { JsonObject } from '../records.ts';
import { prepared } from './connection.ts';
import { toJson } from '../json-column.ts';

/** Appends events to a cycle, numbering them inside the open transaction. */
export function insertCycleEvents(
  database: Database,
  input: { sessionId: string; cycleId: string; events: { type: string; data: JsonObject }[]; now: number },
): CycleEventRecord[] {
  const { sessionId, cycleId, events, now } = input;
  if (events.length === 0) return [];
  const last = prepared(
    database,
    `UPDATE cycles SET event_count = event_count + ? WHERE session_id = ? AND cycle_id = ? RETURNING event_count`,
  )
    .pluck()
    .get(events.length, sessionId, cycleId) as number;
  const insert = prepared(
    database,
    'INSERT INTO cycle_events (session_id, cycle_id, seq, type, data, created_at) VALUES (?, ?, ?, ?, ?, ?)',
  );
  return events.map(({ type, data }, at) => {
    const record = { sessionId, cycleId, seq: last - events.length + 1 + at, type, data, createdAt: now };
    insert.run(sessionId, cycleId, record.seq, type, toJson(data), now);
    return record;
  });
}
