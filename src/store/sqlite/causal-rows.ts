import type { Database } from 'better-sqlite3';
import { CccError } from '../../base/ccc-error.ts';
import { termsOf } from '../packed-terms.ts';
import type { TermCounts } from '../records.ts';
import { LINK_COLUMNS, LINK_TABLES, type EventRow, type LinkRow } from '../rows/causal-rows.ts';
import { noteVersion } from './analyser-version.ts';
import { prepared } from './connection.ts';

/**
 * The links by their cause, for a FROM. Named, because without statistics (a record that has just grown) the planner
 * takes the primary key and reads every link of the session; with them it takes this index by itself.
 */
export const LINKS_BY_CAUSE = 'causal_links o INDEXED BY sqlite_autoindex_causal_links_2';

/** Of `causal_events e`: whether a chain can go on from it, and whether it is part of one. */
export const RANKED_COLUMNS = `e.*,
  NOT EXISTS (SELECT 1 FROM ${LINKS_BY_CAUSE} WHERE o.session_id = e.session_id AND o.cause_no = e.event_no
    AND o.relation IN ('caused', 'enabled')) AS open,
  (EXISTS (SELECT 1 FROM ${LINKS_BY_CAUSE} WHERE o.session_id = e.session_id AND o.cause_no = e.event_no)
    OR EXISTS (SELECT 1 FROM causal_links o WHERE o.session_id = e.session_id AND o.effect_no = e.event_no)) AS linked`;

/** Nothing of a session that is still being imported is shown. */
export const SHOWN = `EXISTS (SELECT 1 FROM sessions WHERE session_id = @sessionId AND status <> 'importing')`;

/** The next number of a change in the session; with `events`, also that many event numbers. */
export function advance(
  database: Database,
  sessionId: string,
  { changes = 1, events = 0 }: { changes?: number; events?: number } = {},
): { changeSeq: number; lastEventNo: number } {
  const row = prepared(
    database,
    `INSERT INTO causal_heads (session_id, change_seq, last_event_no) VALUES (@sessionId, @changes, @events)
     ON CONFLICT (session_id) DO UPDATE SET change_seq = change_seq + @changes,
       last_event_no = last_event_no + @events
     RETURNING change_seq, last_event_no`,
  ).get({ sessionId, changes, events }) as { change_seq: number; last_event_no: number };
  return { changeSeq: row.change_seq, lastEventNo: row.last_event_no };
}

export function findEvent(database: Database, sessionId: string, eventId: string): EventRow | undefined {
  return prepared(database, 'SELECT * FROM causal_events WHERE session_id = ? AND event_id = ?').get(
    sessionId,
    eventId,
  ) as EventRow | undefined;
}

/** @throws event_not_found */
export function requireEvent(
  database: Database,
  sessionId: string,
  eventId: string,
  param: string,
): EventRow {
  const row = findEvent(database, sessionId, eventId);
  if (!row) throw new CccError('event_not_found', undefined, { param });
  return row;
}

export function findLink(database: Database, sessionId: string, linkId: string): LinkRow | undefined {
  return prepared(
    database,
    `SELECT ${LINK_COLUMNS} FROM ${LINK_TABLES} WHERE l.session_id = ? AND l.link_id = ?`,
  ).get(sessionId, linkId) as LinkRow | undefined;
}

export function findLinkOfPair(
  database: Database,
  sessionId: string,
  causeNo: number,
  effectNo: number,
): LinkRow | undefined {
  return prepared(
    database,
    `SELECT ${LINK_COLUMNS} FROM ${LINK_TABLES} WHERE l.session_id = ? AND l.cause_no = ? AND l.effect_no = ?`,
  ).get(sessionId, causeNo, effectNo) as LinkRow | undefined;
}

/** Writes the index rows of an event that has none. */
export function indexEvent(database: Database, sessionKey: number, eventNo: number, terms: TermCounts): void {
  noteVersion(database, sessionKey, terms);
  insertEventTerms(database, sessionKey, eventNo, terms);
}

/** Writes the index entries of an event that has none. */
export function insertEventTerms(
  database: Database,
  sessionKey: number,
  eventNo: number,
  { terms }: TermCounts,
): void {
  const insert = prepared(
    database,
    'INSERT INTO causal_terms (session_key, term, event_no, count) VALUES (?, ?, ?, ?)',
  );
  for (const [term, count] of termsOf(terms)) insert.run(sessionKey, term, eventNo, count);
}

export function unindexEvent(database: Database, sessionKey: number, eventNo: number): void {
  // Named: left to itself the planner reads all of the session, here and wherever else an index is named.
  prepared(
    database,
    'DELETE FROM causal_terms INDEXED BY causal_terms_by_event WHERE session_key = ? AND event_no = ?',
  ).run(sessionKey, eventNo);
}
