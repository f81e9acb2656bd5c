import { CccError } from '../../base/ccc-error.ts';
import type { Queries } from './queries.ts';

export interface LockedSession {
  sessionKey: number;
  archived: boolean;
  totalTurns: number;
}

/**
 * Takes the session's lock until the end of the transaction. Whoever waits for it sees what the holder before has written.
 * @throws session_not_found. An archived session still takes states, summaries and jobs, only no new turns.
 */
export async function lockSession(db: Queries, sessionId: string): Promise<LockedSession> {
  const row = await db.get<{ session_key: number; status: string; total_turns: number }>(
    'SELECT session_key, status, total_turns FROM sessions WHERE session_id = $1 FOR NO KEY UPDATE',
    sessionId,
  );
  if (!row || row.status === 'importing') throw new CccError('session_not_found');
  return { sessionKey: row.session_key, archived: row.status === 'archived', totalTurns: row.total_turns };
}

/** @throws session_not_found, session_archived */
export async function lockActiveSession(db: Queries, sessionId: string): Promise<LockedSession> {
  const session = await lockSession(db, sessionId);
  if (session.archived) throw new CccError('session_archived');
  return session;
}

/** Takes the lock of a session if it is there, whatever its state; false when it is not. */
export async function lockIfThere(db: Queries, sessionId: string): Promise<boolean> {
  const row = await db.get('SELECT 1 FROM sessions WHERE session_id = $1 FOR NO KEY UPDATE', sessionId);
  return row !== undefined;
}
