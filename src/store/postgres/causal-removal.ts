import type { JudgedBy } from '../causal-store.ts';
import { linksAt, noteRemovals, removeLinks } from './causal-links.ts';
import { findEvent } from './causal-rows.ts';
import { removeEventTerms } from './causal-terms.ts';
import type { Queries } from './queries.ts';

/**
 * Removes an event with its links and index entries, and notes that for the projection, for whoever has the session's
 * lock. False when there was none.
 */
export async function removeEventRow(
  db: Queries,
  { sessionId, eventId, by, now }: { sessionId: string; eventId: string; by: JudgedBy; now: number },
): Promise<boolean> {
  const row = await findEvent(db, sessionId, eventId);
  if (!row) return false;
  await removeLinks(db, sessionId, await linksAt(db, sessionId, row.event_no), by, now);
  await removeEventTerms(db, sessionId, row.event_no);
  await db.run('DELETE FROM causal_events WHERE session_id = $1 AND event_no = $2', sessionId, row.event_no);
  const removal = { kind: 'event' as const, id: eventId, causeNo: row.event_no, effectNo: null };
  await noteRemovals(db, sessionId, [removal], by, now);
  return true;
}
