import { CccError } from '../../base/ccc-error.ts';
import type { CycleEventRecord } from '../cycle-store.ts';
import { toJson } from '../json-column.ts';
import type { JsonObject } from '../records.ts';
import type { Queries } from './queries.ts';

/** Appends events to a cycle, numbering them inside the open transaction. */
export async function insertCycleEvents(
  db: Queries,
  input: { sessionId: string; cycleId: string; events: { type: string; data: JsonObject }[]; now: number },
): Promise<CycleEventRecord[]> {
  const { sessionId, cycleId, events, now } = input;
  if (events.length === 0) return [];
  const last = await db.value<number>(
    `UPDATE cycles SET event_count = event_count + $3 WHERE session_id = $1 AND cycle_id = $2 RETURNING event_count`,
    sessionId,
    cycleId,
    events.length,
  );
  if (last === undefined) throw new CccError('cycle_not_found');
  const first = last - events.length + 1;
  await db.run(
    `INSERT INTO cycle_events (session_id, cycle_id, seq, type, data, created_at)
     SELECT $1, $2, seq, type, data, $3 FROM unnest($4::bigint[], $5::text[], $6::text[]) AS new (seq, type, data)`,
    sessionId,
    cycleId,
    now,
    events.map((_, at) => first + at),
    events.map(({ type }) => type),
    events.map(({ data }) => toJson(data)),
  );
  return events.map(({ type, data }, at) => ({
    sessionId,
    cycleId,
    seq: first + at,
    type,
    data,
    createdAt: now,
  }));
}
