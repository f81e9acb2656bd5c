/** The parts of the public API's answers that the page reads. */

export type AgentName = 'wykeve' | 'beatrice' | 'codey';

export interface Health {
  version: string;
  provider: { name: 'openai' | 'rehearsal'; base_url: string | null; model: string };
}

export interface Session {
  session_id: string;
  created_at: string;
  last_active: string;
  status: string;
  user_preferences: Record<string, unknown>;
}

export interface Conversation {
  conversation_id: string;
  session_id: string;
  directive: string;
  created_at: string;
  last_active: string;
}

export interface Turn {
  turn_id: string;
  turn_number: number;
  agent: AgentName;
  kind: string;
  content: string;
  speaker: string | null;
  timestamp: string;
  cycle_id: string | null;
}

export interface ConversationWithTurns extends Conversation {
  turns: Turn[];
}

export interface CycleView {
  cycle_id: string;
  conversation_id: string;
  status: string;
  outcome: string | null;
}

export interface Paged<T> {
  data: T[];
  next_cursor: string | null;
}
