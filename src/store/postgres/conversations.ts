import { CccError } from '../../base/ccc-error.ts';
import { decodeCursor, encodeCursor, pageOf } from '../cursor.ts';
import type { ConversationStore } from '../memory-dal.ts';
import { conversationFromRow, type ConversationRow } from '../rows/conversation-rows.ts';
import { addToCounter } from './counters.ts';
import { insertJobs } from './job-rows.ts';
import type { PostgresModule } from './postgres-module.ts';
import { lockActiveSession } from './session-lock.ts';
import { insertTurns } from './turn-rows.ts';

export const conversationsModule: PostgresModule<ConversationStore> = {
  writes: ['create'],
  create: (db) => ({
    async create({ sessionId, conversationId, directive, turns, jobs, maxTurns, now }) {
      await lockActiveSession(db, sessionId);
      const ordinal = await db.value<number>(
        `UPDATE sessions SET conversation_count = conversation_count + 1, last_active = greatest(last_active, $2)
          WHERE session_id = $1 RETURNING conversation_count`,
        sessionId,
        now,
      );
      await addToCounter(db, 'conversations', 1);
      await db.run(
        `INSERT INTO conversations (session_id, conversation_id, ordinal, directive, created_at, last_active)
         VALUES ($1, $2, $3, $4, $5, $5)`,
        sessionId,
        conversationId,
        ordinal ?? 1,
        directive,
        now,
      );
      const stored = await insertTurns(db, { sessionId, conversationId, turns, maxTurns, now });
      await insertJobs(db, sessionId, jobs, now);
      const row = await db.get<ConversationRow>(
        'SELECT * FROM conversations WHERE session_id = $1 AND conversation_id = $2',
        sessionId,
        conversationId,
      );
      if (!row) throw new CccError('internal_error');
      return { conversation: conversationFromRow(row), turns: stored };
    },
    async get(conversationId) {
      const row = await db.get<ConversationRow>(
        `SELECT c.* FROM conversations c JOIN sessions s USING (session_id)
          WHERE c.conversation_id = $1 AND s.status <> 'importing'`,
        conversationId,
      );
      return row ? conversationFromRow(row) : null;
    },
    async getMany(sessionId, conversationIds) {
      const rows = await db.all<ConversationRow>(
        `SELECT c.* FROM conversations c JOIN sessions s USING (session_id)
          WHERE session_id = $1 AND c.conversation_id = ANY($2::text[]) AND s.status <> 'importing'`,
        sessionId,
        conversationIds,
      );
      return rows.map(conversationFromRow);
    },
    async list({ sessionId, limit, cursor }) {
      const [before] = cursor === null ? [Number.MAX_SAFE_INTEGER] : decodeCursor(cursor, ['number']);
      const rows = await db.all<ConversationRow>(
        `SELECT * FROM conversations WHERE session_id = $1 AND ordinal < $2
            AND EXISTS (SELECT 1 FROM sessions WHERE session_id = $1 AND status <> 'importing')
          ORDER BY ordinal DESC LIMIT $3`,
        sessionId,
        before,
        limit + 1,
      );
      return pageOf(rows, limit, conversationFromRow, (row) => encodeCursor([row.ordinal]));
    },
  }),
};
