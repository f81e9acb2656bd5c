import { CccError } from '../../base/ccc-error.ts';
import type { ConversationStore } from '../memory-dal.ts';
import { prepared } from './connection.ts';
import { addToCounter } from './counters.ts';
import { decodeCursor, encodeCursor, pageOf } from '../cursor.ts';
import { conversationFromRow, type ConversationRow } from '../rows/conversation-rows.ts';
import { insertJobs } from './job-rows.ts';
import type { StoreModule } from './store-module.ts';
import { insertTurns, requireActiveSession } from './turn-rows.ts';

export const conversationsModule: StoreModule<ConversationStore> = {
  writes: ['create'],
  create: (database) => ({
    create: ({ sessionId, conversationId, directive, turns, jobs, maxTurns, now }) => {
      requireActiveSession(database, sessionId);
      const ordinal = prepared(
        database,
        `UPDATE sessions SET conversation_count = conversation_count + 1, last_active = max(last_active, ?)
          WHERE session_id = ? RETURNING conversation_count`,
      )
        .pluck()
        .get(now, sessionId) as number;
      addToCounter(database, 'conversations', 1);
      prepared(
        database,
        `INSERT INTO conversations (session_id, conversation_id, ordinal, directive, created_at, last_active)
         VALUES (?, ?, ?, ?, ?, ?)`,
      ).run(sessionId, conversationId, ordinal, directive, now, now);
      const stored = insertTurns(database, { sessionId, conversationId, turns, maxTurns, now });
      insertJobs(database, sessionId, jobs, now);
      const row = prepared(
        database,
        'SELECT * FROM conversations WHERE session_id = ? AND conversation_id = ?',
      ).get(sessionId, conversationId) as ConversationRow | undefined;
      if (!row) throw new CccError('internal_error');
      return { conversation: conversationFromRow(row), turns: stored };
    },
    get: (conversationId) => {
      const row = prepared(
        database,
        `SELECT c.* FROM conversations c JOIN sessions s USING (session_id)
          WHERE c.conversation_id = ? AND s.status <> 'importing'`,
      ).get(conversationId) as ConversationRow | undefined;
      return row ? conversationFromRow(row) : null;
    },
    getMany: (sessionId, conversationIds) =>
      (
        prepared(
          database,
          `SELECT c.* FROM json_each(@ids) wanted
             CROSS JOIN conversations c ON c.session_id = @sessionId AND c.conversation_id = wanted.value
            WHERE EXISTS (SELECT 1 FROM sessions WHERE session_id = @sessionId AND status <> 'importing')`,
        ).all({ sessionId, ids: JSON.stringify(conversationIds) }) as ConversationRow[]
      ).map(conversationFromRow),
    list: ({ sessionId, limit, cursor }) => {
      const [before] = cursor === null ? [Number.MAX_SAFE_INTEGER] : decodeCursor(cursor, ['number']);
      const rows = prepared(
        database,
        `SELECT * FROM conversations WHERE session_id = @sessionId AND ordinal < @before
            AND EXISTS (SELECT 1 FROM sessions WHERE session_id = @sessionId AND status <> 'importing')
          ORDER BY ordinal DESC LIMIT +@limit`,
      ).all({ sessionId, before, limit: limit + 1 }) as ConversationRow[];
      return pageOf(rows, limit, conversationFromRow, (row) => encodeCursor([row.ordinal]));
    },
  }),
};
