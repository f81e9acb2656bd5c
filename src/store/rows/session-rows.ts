import { fromJson, fromNullableJson } from '../json-column.ts';
import type { SessionRecord } from '../records.ts';

export interface SessionRow {
  session_id: string;
  status: SessionRecord['status'];
  created_at: number;
  last_active: number;
  user_preferences: string;
  initial_context: string | null;
  conversation_count: number;
  removed_conversations: number | null;
  total_turns: number;
}

/** What `sessionFromRow` needs. */
export const SESSION_COLUMNS =
  'session_id, status, created_at, last_active, user_preferences, initial_context, conversation_count, removed_conversations, total_turns';

export function sessionFromRow(row: SessionRow): SessionRecord {
  return {
    sessionId: row.session_id,
    createdAt: row.created_at,
    lastActive: row.last_active,
    status: row.status,
    userPreferences: fromJson(row.user_preferences),
    initialContext: fromNullableJson(row.initial_context),
    conversationCount: row.conversation_count - (row.removed_conversations ?? 0),
    totalTurns: row.total_turns,
  };
}
