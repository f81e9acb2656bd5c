import { fromJson } from '../json-column.ts';
import type { Agent, TurnKind, TurnRecord } from '../records.ts';

export interface TurnRow {
  session_id: string;
  conversation_id: string;
  turn_number: number;
  turn_id: string;
  agent: Agent;
  kind: TurnKind;
  speaker: string | null;
  timestamp: number;
  stored_at: number;
  cycle_id: string | null;
  metadata: string;
  content: string;
}

export function turnFromRow(row: TurnRow): TurnRecord {
  return {
    sessionId: row.session_id,
    conversationId: row.conversation_id,
    turnId: row.turn_id,
    turnNumber: row.turn_number,
    agent: row.agent,
    kind: row.kind,
    content: row.content,
    speaker: row.speaker,
    timestamp: row.timestamp,
    storedAt: row.stored_at,
    cycleId: row.cycle_id,
    metadata: fromJson(row.metadata),
  };
}
