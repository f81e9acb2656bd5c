/** The parts of the public API's answers that the page reads. */

export type AgentName = 'wykeve' | 'beatrice' | 'codey';

export interface Health {
  status: string;
  version: string;
  stage: number;
  provider: { name: string; base_url: string | null; model: string };
  memory: { status: string };
  causal: { available: boolean; reason: string | null };
}

export interface Preferences {
  name?: string;
  covenant_mode?: 'cycle' | 'direct';
  models?: { beatrice?: string | null; codey?: string | null } | null;
  budget?: { tokens?: number | null; tokens_per_day?: number | null; [other: string]: unknown } | null;
  [other: string]: unknown;
}

export interface Session {
  session_id: string;
  created_at: string;
  last_active: string;
  status: string;
  user_preferences: Preferences;
  conversation_count?: number;
  total_turns?: number;
}

export interface Conversation {
  conversation_id: string;
  session_id: string;
  directive: string;
  created_at: string;
  last_active: string;
  turn_count: number;
}

export interface Turn {
  turn_id: string;
  conversation_id: string;
  turn_number: number;
  agent: AgentName;
  kind: string;
  content: string;
  speaker: string | null;
  timestamp: string;
  cycle_id: string | null;
  metadata: Record<string, unknown>;
}

export interface FoundTurn extends Turn {
  score: number;
  source: string;
}

export interface ConversationWithTurns extends Conversation {
  turns: Turn[];
  /** Number of the first turn that was not sent; null at the end. */
  next_from: number | null;
}

export interface Usage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
}

export interface CycleHead {
  cycle_id: string;
  session_id: string;
  conversation_id: string;
  status: string;
  outcome: string | null;
  created_at: string;
  updated_at: string;
}

export interface CycleStep {
  step_id: string;
  step_number: number;
  kind: string;
  agent: AgentName;
  round: number;
  attempt: number;
  status: string;
  input: Record<string, unknown>;
  output: Record<string, unknown> | null;
  started_at: string;
  ended_at: string | null;
}

export interface CycleView extends CycleHead {
  directive: string;
  reason: string;
  rounds: number;
  /** Revisions that are allowed; there may be one draft more. */
  max_rounds: number;
  max_total_tokens: number | null;
  usage_by_agent: Partial<Record<AgentName, Usage>>;
  steps: CycleStep[];
}

export interface Verdict {
  decision: string;
  issues: { id: string; severity: string; where: string; fix: string }[];
  resolved?: string[];
  criteria: { id: string; met: string; evidence: string }[];
  lesson?: string | null;
}

export interface Criterion {
  id: string;
  text: string;
}

export interface Check {
  name: string;
  passed: boolean;
  detail: string;
}

export interface ContextTurn {
  turn_id: string;
  /** Missing in cycles of older servers. */
  turn_number?: number;
  conversation_id: string;
  agent: AgentName;
  speaker: string | null;
  timestamp: string;
  content: string;
  score: number;
  source: string;
  parts: Record<string, number>;
}

export interface UsedContext {
  tokens: number;
  omitted_turns: number;
  turns: ContextTurn[];
  sections?: { name: string; tokens: number }[];
  prompt?: string | null;
}

export interface Paged<T> {
  data: T[];
  next_cursor: string | null;
}

/** What the model is asked with. */
export interface SamplingBody {
  temperature?: number;
  top_p?: number;
  max_tokens?: number;
  seed?: number;
  presence_penalty?: number;
  frequency_penalty?: number;
  stop?: string[];
}

export interface MemoryBody {
  use_context?: boolean;
  include_agent_state?: boolean;
  include_causal?: boolean;
  max_context_turns?: number;
  max_context_tokens?: number;
}

/** What the body of a directive may carry beside its text. */
export interface CycleBody extends SamplingBody {
  directive: string;
  conversation_id?: string;
  model?: string;
  models?: { beatrice?: string; codey?: string };
  max_rounds?: number;
  max_total_tokens?: number;
  max_seconds?: number;
  decide_before_delivery?: boolean;
  criteria?: string[];
  memory_options?: MemoryBody;
}

interface Spent {
  limits: { tokens: number | null };
  spent: { tokens: number };
}

/** What the cycles of a session may take, and have taken: in all, and today. */
export interface Budget {
  session: Spent;
  session_day: Spent;
  day: { left: { tokens: number | null } };
}
