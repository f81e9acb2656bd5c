import type { ConversationRecord } from '../records.ts';

export interface ConversationRow {
  session_id: string;
  conversation_id: string;
  ordinal: number;
  directive: string;
  created_at: number;
  last_active: number;
  turn_count: number;
  removed_turns: number | null;
}

export function conversationFromRow(row: ConversationRow): ConversationRecord {
  return {
    sessionId: row.session_id,
    conversationId: row.conversation_id,
    ordinal: row.ordinal,
    directive: row.directive,
    createdAt: row.created_at,
    lastActive: row.last_active,
    turnCount: row.turn_count,
    removedTurns: row.removed_turns ?? 0,
  };
}
