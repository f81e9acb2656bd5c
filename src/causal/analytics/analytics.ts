import type { CausalEventRecord, CausalLinkRecord } from '../../store/causal-store.ts';

/** A root cause: nothing known led to it, and it led to something. */
export interface RootCause {
  event: CausalEventRecord;
  /** Different events that it led to, over however many links. */
  effects: number;
  /** Those that it led to itself. */
  directEffects: number;
}

/** A chain from a root to an end, told in full. */
export interface LongChain {
  sessionId: string;
  events: CausalEventRecord[];
  links: CausalLinkRecord[];
  /** Product of the links' confidences. */
  confidence: number;
}

export interface CauseFigures {
  /** Most effects first. */
  rootCauses: RootCause[];
  /** Longest first, each with another end. */
  longestChains: LongChain[];
  /** True when the graph was too large to be followed in time: then `effects` are direct ones and no chain is told. */
  truncated: boolean;
}

/** Times are working time, in milliseconds: what a cycle waited for a person or for tools does not count. */
export interface Latency {
  p50Ms: number;
  p95Ms: number;
}

export interface CycleFigures {
  /** Those that ended or rest; what runs is not counted here. */
  total: number;
  byOutcome: (Latency & { outcome: string; cycles: number; meanRounds: number })[];
  byOutcomeAndRounds: { outcome: string; rounds: number; cycles: number }[];
  /** By the day (UTC) on which they ended; those that wait for somebody have not. In order. */
  byDay: (Latency & { day: string; cycles: number; approved: number; meanRounds: number })[];
}

export interface Tokens {
  calls: number;
  prompt: number;
  completion: number;
  total: number;
}

export interface TokenFigures {
  byAgent: (Tokens & { agent: string })[];
  /** In order of the day (UTC), then the agent. */
  byDay: (Tokens & { day: string; agent: string })[];
}

/** What the projection knows of a session, or of all of them. */
export interface Analytics {
  causes: CauseFigures;
  cycles: CycleFigures;
  tokens: TokenFigures;
}
