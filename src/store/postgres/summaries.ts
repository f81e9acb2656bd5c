import { CccError } from '../../base/ccc-error.ts';
import type { SummaryStore } from '../memory-dal.ts';
import { scopeOf, summaryFromRow, type SummaryRow } from '../rows/summary-rows.ts';
import type { PostgresModule } from './postgres-module.ts';
import { lockSession } from './session-lock.ts';

export const summariesModule: PostgresModule<SummaryStore> = {
  writes: ['add'],
  create: (db) => ({
    async latest(sessionId, conversationId) {
      const row = await db.get<SummaryRow>(
        'SELECT * FROM context_summaries WHERE session_id = $1 AND scope = $2 ORDER BY version DESC LIMIT 1',
        sessionId,
        scopeOf(conversationId),
      );
      return row ? summaryFromRow(row) : null;
    },
    async latestOfAll(sessionId) {
      const rows = await db.all<SummaryRow>(
        `SELECT newest.* FROM conversations c
           CROSS JOIN LATERAL (SELECT * FROM context_summaries s
             WHERE s.session_id = c.session_id AND s.scope = c.conversation_id
             ORDER BY s.version DESC LIMIT 1) AS newest
          WHERE c.session_id = $1 ORDER BY c.ordinal`,
        sessionId,
      );
      return rows.map(summaryFromRow);
    },
    async history(sessionId, conversationId) {
      const rows = await db.all<SummaryRow>(
        'SELECT * FROM context_summaries WHERE session_id = $1 AND scope = $2 ORDER BY version DESC',
        sessionId,
        scopeOf(conversationId),
      );
      return rows.map(summaryFromRow);
    },
    async add(input) {
      const { sessionId, conversationId, basedOnVersion } = input;
      await lockSession(db, sessionId);
      if (conversationId !== null) {
        const known = await db.get(
          'SELECT 1 FROM conversations WHERE session_id = $1 AND conversation_id = $2',
          sessionId,
          conversationId,
        );
        if (!known) throw new CccError('conversation_not_found');
      }
      const newest = await db.value<number>(
        'SELECT coalesce(max(version), 0) FROM context_summaries WHERE session_id = $1 AND scope = $2',
        sessionId,
        scopeOf(conversationId),
      );
      if (newest !== basedOnVersion) return null;
      const row = await db.get<SummaryRow>(
        `INSERT INTO context_summaries (session_id, scope, version, conversation_id, text, covers_through,
           first_turn_id, last_turn_id, author, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING *`,
        sessionId,
        scopeOf(conversationId),
        newest + 1,
        conversationId,
        input.text,
        input.coversThrough,
        input.firstTurnId,
        input.lastTurnId,
        input.author,
        input.createdAt,
      );
      if (!row) throw new CccError('internal_error');
      return summaryFromRow(row);
    },
  }),
};
