import { CccError } from '../../base/ccc-error.ts';
import { LINK_COLUMNS, LINK_TABLES, type EventRow, type LinkRow } from '../rows/causal-rows.ts';
import type { Queries } from './queries.ts';

/** Of `causal_events e`: a chain can go on from it. */
export const OPEN = `NOT EXISTS (SELECT 1 FROM causal_links o WHERE o.session_id = e.session_id
  AND o.cause_no = e.event_no AND o.relation IN ('caused', 'enabled'))`;

/** Of `causal_events e`: whether a chain can go on from it, and whether it is part of one. */
export const RANKED_COLUMNS = `e.*, (${OPEN})::integer AS open,
  (EXISTS (SELECT 1 FROM causal_links o WHERE o.session_id = e.session_id AND o.cause_no = e.event_no)
    OR EXISTS (SELECT 1 FROM causal_links o WHERE o.session_id = e.session_id AND o.effect_no = e.event_no))::integer AS linked`;

/** Nothing of a session that is still being imported is shown. */
export const SHOWN = `EXISTS (SELECT 1 FROM sessions WHERE session_id = $1 AND status <> 'importing')`;

/** Takes the next change numbers of a session, and event numbers. Returns the last of each. */
export async function advance(
  db: Queries,
  sessionId: string,
  { changes = 1, events = 0 }: { changes?: number; events?: number } = {},
): Promise<{ changeSeq: number; lastEventNo: number }> {
  const row = await db.get<{ changeSeq: number; lastEventNo: number }>(
    `INSERT INTO causal_heads AS h (session_id, change_seq, last_event_no) VALUES ($1, $2, $3)
     ON CONFLICT (session_id) DO UPDATE SET change_seq = h.change_seq + excluded.change_seq,
       last_event_no = h.last_event_no + excluded.last_event_no
     RETURNING change_seq AS "changeSeq", last_event_no AS "lastEventNo"`,
    sessionId,
    changes,
    events,
  );
  if (!row) throw new CccError('internal_error');
  return row;
}

export function findEvent(db: Queries, sessionId: string, eventId: string): Promise<EventRow | undefined> {
  return db.get<EventRow>(
    'SELECT * FROM causal_events WHERE session_id = $1 AND event_id = $2',
    sessionId,
    eventId,
  );
}

/** @throws event_not_found */
export async function requireEvent(
  db: Queries,
  sessionId: string,
  eventId: string,
  param: string,
): Promise<EventRow> {
  const row = await findEvent(db, sessionId, eventId);
  if (!row) throw new CccError('event_not_found', undefined, { param });
  return row;
}

export function findLink(db: Queries, sessionId: string, linkId: string): Promise<LinkRow | undefined> {
  return db.get<LinkRow>(
    `SELECT ${LINK_COLUMNS} FROM ${LINK_TABLES} WHERE l.session_id = $1 AND l.link_id = $2`,
    sessionId,
    linkId,
  );
}

export function findLinkOfPair(
  db: Queries,
  sessionId: string,
  causeNo: number,
  effectNo: number,
): Promise<LinkRow | undefined> {
  return db.get<LinkRow>(
    `SELECT ${LINK_COLUMNS} FROM ${LINK_TABLES} WHERE l.session_id = $1 AND l.cause_no = $2 AND l.effect_no = $3`,
    sessionId,
    causeNo,
    effectNo,
  );
}
