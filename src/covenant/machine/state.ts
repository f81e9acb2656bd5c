import type { ChatMessage, Usage } from '../../models/chat-types.ts';
import type { Outcome } from '../cycle-service.ts';
import type { Verdict, VerdictIssue } from '../verdict/verdict-schema.ts';

/** Where a cycle stands. */
export type Status =
  | 'received'
  | 'guiding'
  | 'executing'
  | 'checking'
  | 'reviewing'
  | 'revising'
  | 'awaiting_client_tools'
  | 'awaiting_decision'
  | 'approved'
  | 'stopped';

/** What a caller wants to see met; the reviewer answers to each by its id. */
export interface Criterion {
  id: string;
  text: string;
}

/** What a program could say about a draft with certainty. */
export interface CheckResult {
  name: string;
  passed: boolean;
  /** False for what the reviewer is told and nothing more; every other check has to pass. */
  required?: boolean;
  /** One sentence for the reviewer and the executor. */
  detail: string;
}

export interface Review {
  decision: 'approve' | 'revise' | 'ask_person';
  /** All issues open after this review, also those of earlier rounds. */
  open: VerdictIssue[];
  criteria: { id: string; met: 'yes' | 'no' | 'unknown'; evidence: string }[];
  /** True when the rules let this draft go out, with notes when minor issues are left. */
  accepted: boolean;
}

export interface Draft {
  /** 1 for the first draft; also its round. */
  round: number;
  text: string;
  /** SHA-256 of the text: equal drafts are one. */
  hash: string;
  finishReason: string;
  model: string;
  checks: CheckResult[];
  review: Review | null;
}

/** One message of Codey's work with the client's tools: his call, or a result of it. */
export interface ToolMessage {
  /** The round of the draft that he was writing. */
  round: number;
  message: ChatMessage;
}

/** An answer that was meant to be a verdict, and why it is none. */
export interface Unreadable {
  answer: string;
  problem: string;
}

export interface UpstreamFault {
  status: number;
  error: Record<string, unknown>;
  headers: Record<string, string>;
}

export interface Limits {
  maxRevisions: number;
  maxTotalTokens: number | null;
  /** Working time: what a cycle waits for a person or for the client's tools does not count. */
  maxSeconds: number | null;
}

/** The whole state of a cycle: plain data, stored with each step. `format` says which code wrote it. */
export interface MachineState {
  format: 1;
  status: Status;
  limits: Limits;
  criteria: Criterion[];
  /** True: nothing goes out before the person has decided on it. Absent in cycles of older versions. */
  decideFirst?: boolean;
  guidance: string | null;
  drafts: Draft[];
  /** In the order in which they came. */
  toolMessages: ToolMessage[];
  /** Set while a verdict is asked for once more. */
  unreadable: Unreadable | null;
  usage: { beatrice: Usage; codey: Usage };
  /** Tokens the largest review has taken so far, to keep one in reserve. */
  largestReview: number;
  /** Working time so far, in milliseconds. */
  workedMs: number;
  outcome: Outcome | null;
  /** Round of the draft that is delivered. */
  delivered: number | null;
  /** One sentence: why it ended and which draft this is. */
  reason: string;
  fault: UpstreamFault | null;
  /** What the person said when asked, for the next revision. */
  steer: string | null;
}

export type CallKind = 'guide' | 'draft' | 'review';

/** What a call cost: tokens by agent, and time. */
export interface Cost {
  usage: Usage;
  /** How long it took, in milliseconds. */
  ms: number;
}

/** Why a cycle is stopped from outside. */
export type StopReason = 'client_cancelled' | 'drained' | 'time_budget' | 'token_budget';

/** A call did not fit. `why` and `fault` are those of a budget of the session or of the day; absent for the cycle's own. */
export interface OverBudget {
  type: 'over_budget';
  call: CallKind;
  why?: 'token_budget' | 'time_budget' | 'max_rounds';
  fault?: UpstreamFault;
}

/** What happened. Each comes from the runner, after the fact. */
export type MachineEvent =
  | { type: 'started' }
  | ({ type: 'guided'; guidance: string } & Cost)
  | ({ type: 'drafted'; text: string; hash: string; finishReason: string; model: string } & Cost)
  | ({ type: 'tools_called'; message: ChatMessage; model: string } & Cost)
  | { type: 'tools_answered'; results: ChatMessage[] }
  | { type: 'checked'; results: CheckResult[] }
  | ({ type: 'reviewed'; verdict: Verdict } & Cost)
  | ({ type: 'review_unreadable' } & Unreadable & Cost)
  | OverBudget
  | ({ type: 'call_failed'; call: CallKind; fault: UpstreamFault } & Cost)
  | ({ type: 'stopped'; why: StopReason; call: CallKind | null } & Cost)
  | { type: 'decided'; decision: 'approve' | 'reject' | 'steer'; text: string }
  | { type: 'resumed' };

/** What the runner has to do next. `repair`: the verdict that came could not be read; ask for it once more. */
export type Command =
  { type: CallKind; round: number; repair: boolean } | { type: 'check'; round: number } | { type: 'rest' };
