import type { SummaryRecord } from '../records.ts';

export interface SummaryRow {
  session_id: string;
  conversation_id: string | null;
  version: number;
  text: string;
  covers_through: number;
  first_turn_id: string | null;
  last_turn_id: string | null;
  author: SummaryRecord['author'];
  created_at: number;
}

export function summaryFromRow(row: SummaryRow): SummaryRecord {
  return {
    sessionId: row.session_id,
    conversationId: row.conversation_id,
    version: row.version,
    text: row.text,
    coversThrough: row.covers_through,
    firstTurnId: row.first_turn_id,
    lastTurnId: row.last_turn_id,
    author: row.author,
    createdAt: row.created_at,
  };
}

/** The key of a summary inside its session: the conversation's id, or '' for the session's own. */
export const scopeOf = (conversationId: string | null) => conversationId ?? '';
