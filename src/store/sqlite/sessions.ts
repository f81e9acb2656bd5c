import type { Database } from 'better-sqlite3';
import { CccError } from '../../base/ccc-error.ts';
import type { SessionStore } from '../memory-dal.ts';
import type { SessionRecord } from '../records.ts';
import { prepared } from './connection.ts';
import { addToCounter } from './counters.ts';
import { decodeCursor, encodeCursor, pageOf } from '../cursor.ts';
import { toJson } from '../json-column.ts';
import { SESSION_COLUMNS, sessionFromRow, type SessionRow } from '../rows/session-rows.ts';
import { sessionStatistics } from './session-statistics.ts';
import type { StoreModule } from './store-module.ts';

/** The session, unless it does not exist or is still being imported. */
export function getSession(database: Database, sessionId: string): SessionRecord | null {
  const row = prepared(
    database,
    `SELECT ${SESSION_COLUMNS} FROM sessions WHERE session_id = ? AND status <> 'importing'`,
  ).get(sessionId) as SessionRow | undefined;
  return row ? sessionFromRow(row) : null;
}

/** Removes the session and, by cascade, every row that belongs to it. Keeps the counters. */
export function eraseSession(database: Database, sessionId: string): boolean {
  const removed = prepared(
    database,
    `DELETE FROM sessions WHERE session_id = ?
     RETURNING status, conversation_count - coalesce(removed_conversations, 0) AS conversation_count, total_turns`,
  ).get(sessionId) as { status: string; conversation_count: number; total_turns: number } | undefined;
  if (!removed) return false;
  // A session that was still being imported was never counted.
  if (removed.status !== 'importing') {
    addToCounter(database, 'sessions', -1);
    addToCounter(database, 'conversations', -removed.conversation_count);
    addToCounter(database, 'turns', -removed.total_turns);
  }
  return true;
}

export const sessionsModule: StoreModule<SessionStore> = {
  writes: ['create', 'setPreferences', 'setStatus', 'erase'],
  erases: ['erase'],
  create: (database) => {
    const change = (sql: string, sessionId: string, ...values: unknown[]): SessionRecord | null => {
      const row = prepared(database, `${sql} RETURNING ${SESSION_COLUMNS}`).get(...values, sessionId) as
        SessionRow | undefined;
      return row ? sessionFromRow(row) : null;
    };
    return {
      create: ({ sessionId, tokenHash, userPreferences, initialContext, now }) => {
        if (prepared(database, 'SELECT 1 FROM sessions WHERE session_id = ?').get(sessionId)) {
          throw new CccError('session_exists');
        }
        addToCounter(database, 'sessions', 1);
        const row = prepared(
          database,
          `INSERT INTO sessions
             (session_id, session_key, token_hash, status, created_at, last_active, user_preferences, initial_context)
           VALUES (?, ?, ?, 'active', ?, ?, ?, ?) RETURNING ${SESSION_COLUMNS}`,
        ).get(
          sessionId,
          addToCounter(database, 'last_session_key', 1),
          tokenHash,
          now,
          now,
          toJson(userPreferences),
          initialContext === null ? null : toJson(initialContext),
        ) as SessionRow;
        return sessionFromRow(row);
      },
      get: (sessionId) => getSession(database, sessionId),
      statistics: (sessionId) => {
        const session = getSession(database, sessionId);
        return session && sessionStatistics(database, session);
      },
      findByTokenHash: (tokenHash) => {
        const row = prepared(
          database,
          `SELECT ${SESSION_COLUMNS} FROM sessions WHERE token_hash = ? AND status <> 'importing'`,
        ).get(tokenHash) as SessionRow | undefined;
        return row ? sessionFromRow(row) : null;
      },
      list: ({ limit, cursor, status, name }) => {
        const [lastActive, sessionId] =
          cursor === null ? [Number.MAX_SAFE_INTEGER, ''] : decodeCursor(cursor, ['number', 'string']);
        const rows = prepared(
          database,
          `SELECT ${SESSION_COLUMNS} FROM sessions
            WHERE status <> 'importing' AND (@status IS NULL OR status = @status)
              AND (@name IS NULL OR instr(lower(user_preferences ->> '$.name'), lower(@name)) > 0
                OR instr(session_id, @name) > 0)
              AND (last_active, session_id) < (@lastActive, @sessionId)
            ORDER BY last_active DESC, session_id DESC LIMIT +@limit`,
        ).all({
          status: status ?? null,
          name: name ?? null,
          lastActive,
          sessionId,
          limit: limit + 1,
        }) as SessionRow[];
        return pageOf(rows, limit, sessionFromRow, (row) => encodeCursor([row.last_active, row.session_id]));
      },
      setPreferences: (sessionId, userPreferences, now) =>
        change(
          `UPDATE sessions SET user_preferences = ?, last_active = max(last_active, ?)
            WHERE status <> 'importing' AND session_id = ?`,
          sessionId,
          toJson(userPreferences),
          now,
        ),
      setStatus: (sessionId, status, now) =>
        change(
          `UPDATE sessions SET status = ?, last_active = max(last_active, ?)
            WHERE status <> 'importing' AND session_id = ?`,
          sessionId,
          status,
          now,
        ),
      erase: (sessionId) => eraseSession(database, sessionId),
    };
  },
};
