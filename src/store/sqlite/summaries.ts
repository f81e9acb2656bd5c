import { CccError } from '../../base/ccc-error.ts';
import type { SummaryStore } from '../memory-dal.ts';
import { scopeOf, summaryFromRow, type SummaryRow } from '../rows/summary-rows.ts';
import { prepared } from './connection.ts';
import { requireSession } from './turn-rows.ts';
import type { StoreModule } from './store-module.ts';

export const summariesModule: StoreModule<SummaryStore> = {
  writes: ['add'],
  create: (database) => ({
    latest: (sessionId, conversationId) => {
      const row = prepared(
        database,
        'SELECT * FROM context_summaries WHERE session_id = ? AND scope = ? ORDER BY version DESC LIMIT 1',
      ).get(sessionId, scopeOf(conversationId)) as SummaryRow | undefined;
      return row ? summaryFromRow(row) : null;
    },
    latestOfAll: (sessionId) =>
      (
        prepared(
          database,
          `SELECT * FROM (
             SELECT s.*, c.ordinal, row_number() OVER (PARTITION BY s.scope ORDER BY s.version DESC) AS age
               FROM context_summaries s
               JOIN conversations c ON c.session_id = s.session_id AND c.conversation_id = s.conversation_id
              WHERE s.session_id = ?)
            WHERE age = 1 ORDER BY ordinal`,
        ).all(sessionId) as SummaryRow[]
      ).map(summaryFromRow),
    history: (sessionId, conversationId) =>
      (
        prepared(
          database,
          'SELECT * FROM context_summaries WHERE session_id = ? AND scope = ? ORDER BY version DESC',
        ).all(sessionId, scopeOf(conversationId)) as SummaryRow[]
      ).map(summaryFromRow),
    add: (input) => {
      const { sessionId, conversationId, basedOnVersion } = input;
      requireSession(database, sessionId);
      if (conversationId !== null) {
        const known = prepared(
          database,
          'SELECT 1 FROM conversations WHERE session_id = ? AND conversation_id = ?',
        ).get(sessionId, conversationId);
        if (!known) throw new CccError('conversation_not_found');
      }
      const newest = prepared(
        database,
        'SELECT coalesce(max(version), 0) FROM context_summaries WHERE session_id = ? AND scope = ?',
      )
        .pluck()
        .get(sessionId, scopeOf(conversationId)) as number;
      if (newest !== basedOnVersion) return null;
      const row = prepared(
        database,
        `INSERT INTO context_summaries (session_id, scope, version, conversation_id, text, covers_through,
           first_turn_id, last_turn_id, author, created_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING *`,
      ).get(
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
      ) as SummaryRow;
      return summaryFromRow(row);
    },
  }),
};
