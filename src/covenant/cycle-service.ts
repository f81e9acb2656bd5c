import type { ChatMessage, ChatRequest, Usage } from '../models/chat-types.ts';
import type { CycleEventRecord, CycleRecord, CycleStepRecord } from '../store/cycle-store.ts';
import type { Agent, JsonObject, TurnRecord } from '../store/records.ts';
import type { BuiltContext } from '../memory/context/context-types.ts';

/** How a cycle ends. The list is closed. */
export const OUTCOMES = [
  'approved',
  'approved_with_notes',
  'max_rounds',
  'token_budget',
  'time_budget',
  'stalled',
  'review_unavailable',
  'upstream_error',
  'client_cancelled',
  'drained',
  'awaiting_tools',
  'awaiting_decision',
] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** A session's preference `budget`, as it is written. */
export interface BudgetPreference {
  tokens?: number | null | undefined;
  seconds?: number | null | undefined;
  rounds?: number | null | undefined;
  tokens_per_day?: number | null | undefined;
  seconds_per_day?: number | null | undefined;
  rounds_per_day?: number | null | undefined;
}

export interface CycleOptions {
  maxRounds: number;
  maxTotalTokens: number | null;
  /** Longest working time; what the cycle waits for a person or for tools does not count. No limit when absent. */
  maxSeconds?: number | null;
  criteria: string[];
  /** True: a draft that is fit to go out waits for the person's word. */
  decideFirst?: boolean;
  /** Which models speak for the agents in this cycle; the server's settings where absent. */
  models?: { beatrice?: string; codey?: string };
  /** The session's own limits, as its preference says. */
  budget?: BudgetPreference | null;
}

export interface StartCycle {
  sessionId: string;
  conversationId: string;
  /** What the person asked: the text of the last user message. */
  directive: string;
  /** The client's request, CCC's own fields taken out: its model, sampling fields and messages go to Codey. */
  request: ChatRequest;
  options: CycleOptions;
  /** What memory adds; null when memory is off or has nothing. */
  context: BuiltContext | null;
  /** How long that has taken, in milliseconds. */
  contextMs?: number;
  /** False: nothing of the exchange is stored as turns (the cycle itself still is). */
  storeTurns: boolean;
  /** True when the directive is a turn already: an unanswered request that is sent again. */
  directiveStored?: boolean;
  /** Kept with the directive's turn: its thread key, what images came with it. */
  directiveMetadata?: JsonObject;
  /** Who of several people asked. */
  speaker?: string | null;
  /** Whose tokens it spends, see `ChatCallOptions`. */
  payer?: string | undefined;
}

/** Something to watch: a stored event, or a piece of text that is being written right now (not stored). */
export type CycleSignal =
  | { kind: 'event'; event: CycleEventRecord }
  | { kind: 'delta'; agent: Agent; round: number; step: 'guidance' | 'draft' | 'verdict'; text: string };

export interface VerdictSummary {
  round: number;
  decision: string;
  issues: { id: string; severity: string; where: string; fix: string }[];
  criteria: { id: string; met: string; evidence: string }[];
}

export interface CycleResult {
  cycleId: string;
  outcome: Outcome;
  /** The best reviewed draft; empty when there is none. With tool calls, what Codey said beside them. */
  answer: string;
  /** Set with outcome awaiting_tools: Codey's calls, as the upstream gave them. */
  toolCalls: unknown[] | null;
  finishReason: 'stop' | 'length' | 'tool_calls' | 'content_filter';
  /** One sentence: why it ended and which draft this is. */
  reason: string;
  /** With outcome awaiting_decision: the draft that a decision has to name. */
  draftHash: string | null;
  rounds: number;
  verdicts: VerdictSummary[];
  /** Of this request: a cycle that goes on later counts anew. */
  usage: Usage;
  usageByAgent: Partial<Record<Agent, Usage>>;
  model: string;
  turns: TurnRecord[];
  /** Set with outcome upstream_error: what to tell the client. */
  error: { status: number; error: Record<string, unknown>; headers: Record<string, string> } | null;
}

export interface RunningCycle {
  cycleId: string;
  /** Hears everything from the beginning on, also what came before it was called. Returns how to stop. */
  watch(listener: (signal: CycleSignal) => void): () => void;
  /** Resolves however the cycle ends; rejects only when the record fails. */
  done: Promise<CycleResult>;
  /** Stops spending at once; the cycle ends as client_cancelled. */
  cancel(): void;
}

export interface CycleService {
  start(input: StartCycle): Promise<RunningCycle>;
  /** @throws cycle_not_found */
  get(cycleId: string): Promise<{ cycle: CycleRecord; steps: CycleStepRecord[] }>;
  /** Stored events after `afterSeq`, then live ones until the cycle rests or `signal` aborts. */
  follow(cycleId: string, afterSeq: number, signal: AbortSignal): AsyncIterable<CycleSignal>;
  /** @throws cycle_not_found, cycle_conflict when it has ended */
  cancel(cycleId: string): Promise<CycleRecord>;
  /** Continues a cycle that a crash or a stop interrupted. @throws cycle_not_found, cycle_conflict */
  resume(cycleId: string, payer?: string): Promise<RunningCycle>;
  /** The cycle of a session that waits for the results of exactly these tool calls; null when none does. */
  findWaiting(sessionId: string, toolCallIds: string[]): Promise<string | null>;
  /**
   * Continues a cycle with the results of the tools that it waits for.
   * @throws cycle_not_found, cycle_conflict when it does not wait for them
   */
  continueWithTools(cycleId: string, results: ChatMessage[], payer?: string): Promise<RunningCycle>;
  /**
   * The person's word on a cycle that waits for it: deliver the draft, drop it, or go on in another direction.
   * @throws cycle_not_found, cycle_conflict when it does not wait, or when `draftHash` is not the waiting draft's
   */
  decide(
    cycleId: string,
    input: { decision: 'approve' | 'reject' | 'steer'; text: string; draftHash: string; payer?: string },
  ): Promise<RunningCycle>;
  /** Cancels the cycles of a session that are running here, and resolves when none of them writes any more. */
  stopSession(sessionId: string): Promise<void>;
  /** Stops running cycles at their next step boundary, at the latest after `graceMs`. */
  drain(graceMs: number): Promise<void>;
}
