import type { Database } from 'better-sqlite3';
import type { JudgedBy } from '../causal-store.ts';
import { linksAt, noteRemoval, removeLink } from './causal-links.ts';
import { findEvent, unindexEvent } from './causal-rows.ts';
import { prepared } from './connection.ts';
import { requireSession } from './turn-rows.ts';

/** Removes an event with its links and index entries, and notes that for the projection. False when there was none. */
export function removeEventRow(
  database: Database,
  { sessionId, eventId, by, now }: { sessionId: string; eventId: string; by: JudgedBy; now: number },
): boolean {
  const { sessionKey } = requireSession(database, sessionId);
  const row = findEvent(database, sessionId, eventId);
  if (!row) return false;
  for (const link of linksAt(database, sessionId, row.event_no))
    removeLink(database, sessionId, link, by, now);
  unindexEvent(database, sessionKey, row.event_no);
  prepared(database, 'DELETE FROM causal_events WHERE session_id = ? AND event_no = ?').run(
    sessionId,
    row.event_no,
  );
  noteRemoval(database, sessionId, {
    kind: 'event',
    id: eventId,
    causeNo: row.event_no,
    effectNo: null,
    by,
    now,
  });
  return true;
}
