import { CccError } from '../../base/ccc-error.ts';
import { SESSION_CALLER } from '../budget-store.ts';
import { decodeCursor, encodeCursor, pageOf } from '../cursor.ts';
import { toJson } from '../json-column.ts';
import type { SessionStore } from '../memory-dal.ts';
import type { SessionRecord } from '../records.ts';
import { SESSION_COLUMNS, sessionFromRow, type SessionRow } from '../rows/session-rows.ts';
import { addToCounter } from './counters.ts';
import type { PostgresModule } from './postgres-module.ts';
import type { Parameter, Queries } from './queries.ts';
import { lockIfThere } from './session-lock.ts';
import { sessionStatistics } from './session-statistics.ts';

/** Tables that no foreign key ties to their session: index rows. */
const WITHOUT_KEY = [
  'turn_terms',
  'turn_index_blocks',
  'turn_index_speakers',
  'turn_vectors',
  'causal_terms',
  'fact_terms',
] as const;

/** The session, unless it does not exist or is still being imported. */
export async function getSession(db: Queries, sessionId: string): Promise<SessionRecord | null> {
  const row = await db.get<SessionRow>(
    `SELECT ${SESSION_COLUMNS} FROM sessions WHERE session_id = $1 AND status <> 'importing'`,
    sessionId,
  );
  return row ? sessionFromRow(row) : null;
}

/** Removes the session with every row that belongs to it. Keeps the counters. */
export async function eraseSession(db: Queries, sessionId: string): Promise<boolean> {
  if (!(await lockIfThere(db, sessionId))) return false;
  for (const table of WITHOUT_KEY) await db.run(`DELETE FROM ${table} WHERE session_id = $1`, sessionId);
  await db.run('DELETE FROM caller_spending WHERE caller = $1', `${SESSION_CALLER}${sessionId}`);
  const removed = await db.get<{ status: string; conversation_count: number; total_turns: number }>(
    `DELETE FROM sessions WHERE session_id = $1
     RETURNING status, conversation_count - coalesce(removed_conversations, 0) AS conversation_count, total_turns`,
    sessionId,
  );
  if (!removed) return false;
  // A session that was still being imported was never counted.
  if (removed.status !== 'importing') {
    await addToCounter(db, 'sessions', -1);
    await addToCounter(db, 'conversations', -removed.conversation_count);
    await addToCounter(db, 'turns', -removed.total_turns);
  }
  return true;
}

export const sessionsModule: PostgresModule<SessionStore> = {
  writes: ['create', 'setPreferences', 'setStatus', 'erase'],
  snapshots: ['statistics'],
  create: (db) => {
    const one = async (sql: string, ...values: Parameter[]): Promise<SessionRecord | null> => {
      const row = await db.get<SessionRow>(sql, ...values);
      return row ? sessionFromRow(row) : null;
    };
    return {
      async create({ sessionId, tokenHash, userPreferences, initialContext, now }) {
        const session = await one(
          `INSERT INTO sessions
             (session_id, token_hash, status, created_at, last_active, user_preferences, initial_context)
           VALUES ($1, $2, 'active', $3, $3, $4, $5) ON CONFLICT DO NOTHING RETURNING ${SESSION_COLUMNS}`,
          sessionId,
          tokenHash,
          now,
          toJson(userPreferences),
          initialContext === null ? null : toJson(initialContext),
        );
        if (!session) throw new CccError('session_exists');
        await addToCounter(db, 'sessions', 1);
        return session;
      },
      get: (sessionId) => getSession(db, sessionId),
      async statistics(sessionId) {
        const session = await getSession(db, sessionId);
        return session && sessionStatistics(db, session);
      },
      findByTokenHash: (tokenHash) =>
        one(
          `SELECT ${SESSION_COLUMNS} FROM sessions WHERE token_hash = $1 AND status <> 'importing'`,
          tokenHash,
        ),
      async list({ limit, cursor, status, name }) {
        const [lastActive, sessionId] =
          cursor === null ? [Number.MAX_SAFE_INTEGER, ''] : decodeCursor(cursor, ['number', 'string']);
        // The collation "C" lowers A to Z only.
        const rows = await db.all<SessionRow>(
          `SELECT ${SESSION_COLUMNS} FROM sessions
            WHERE status <> 'importing' AND ($1::text IS NULL OR status = $1)
              AND ($2::text IS NULL OR strpos(session_id, $2) > 0
                OR strpos(lower(text_in(user_preferences, 'name') COLLATE "C"), lower($2 COLLATE "C")) > 0)
              AND (last_active, session_id) < ($3::bigint, $4::text)
            ORDER BY last_active DESC, session_id DESC LIMIT $5`,
          status ?? null,
          name ?? null,
          lastActive,
          sessionId,
          limit + 1,
        );
        return pageOf(rows, limit, sessionFromRow, (row) => encodeCursor([row.last_active, row.session_id]));
      },
      setPreferences: (sessionId, userPreferences, now) =>
        one(
          `UPDATE sessions SET user_preferences = $2, last_active = greatest(last_active, $3)
            WHERE status <> 'importing' AND session_id = $1 RETURNING ${SESSION_COLUMNS}`,
          sessionId,
          toJson(userPreferences),
          now,
        ),
      setStatus: (sessionId, status, now) =>
        one(
          `UPDATE sessions SET status = $2, last_active = greatest(last_active, $3)
            WHERE status <> 'importing' AND session_id = $1 RETURNING ${SESSION_COLUMNS}`,
          sessionId,
          status,
          now,
        ),
      erase: (sessionId) => eraseSession(db, sessionId),
    };
  },
};
