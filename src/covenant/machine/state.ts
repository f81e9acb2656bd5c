import type { Usage } from '../../models/chat-types.ts';
import type { Outcome } from '../cycle-service.ts';
import type { VerdictIssue } from '../verdict/verdict-schema.ts';

/** Where a cycle stands. */
export type Status =
  | 'received'
  | 'guiding'
  | 'executing'
  | 'checking'
  | 'reviewing'
  | 'revising'
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

export interface UpstreamFault {
  status: number;
  error: Record<string, unknown>;
  headers: Record<string, string>;
}

/** The whole state of a cycle: plain data, stored with each step. `format` says which code wrote it. */
export interface MachineState {
  format: 1;
  status: Status;
  limits: { maxRevisions: number; maxTotalTokens: number | null };
  criteria: Criterion[];
  guidance: string | null;
  drafts: Draft[];
  usage: { beatrice: Usage; codey: Usage };
  /** Tokens the largest review has taken so far, to keep one in reserve. */
  largestReview: number;
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

/** What happened. Each comes from the runner, after the fact. */
export type MachineEvent =
  | { type: 'started' }
  | { type: 'guided'; guidance: string; usage: Usage }
  | { type: 'drafted'; text: string; hash: string; finishReason: string; model: string; usage: Usage }
  | { type: 'checked'; results: CheckResult[] }
  | { type: 'reviewed'; verdict: import('../verdict/verdict-schema.ts').Verdict; usage: Usage }
  | { type: 'review_unreadable'; problem: string; usage: Usage }
  | { type: 'over_budget'; call: CallKind }
  | { type: 'call_failed'; call: CallKind; fault: UpstreamFault; usage: Usage }
  | {
      type: 'stopped';
      why: 'client_cancelled' | 'drained' | 'time_budget';
      call: CallKind | null;
      usage: Usage;
    }
  | { type: 'decided'; decision: 'approve' | 'reject' | 'steer'; text: string };

/** What the runner has to do next. */
export type Command = { type: CallKind; round: number } | { type: 'check'; round: number } | { type: 'rest' };
