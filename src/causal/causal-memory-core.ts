import type { CausalEventRecord, CausalLinkRecord } from '../store/causal-store.ts';

/** A chain of causes as a person reads it, with where each part comes from. */
export interface CausalNarrative {
  /** Plain sentences; empty when nothing is known. */
  text: string;
  events: CausalEventRecord[];
  links: CausalLinkRecord[];
  /** Of the events that the query itself names, by event id, 0 to 1. */
  scores: Record<string, number>;
  tokenCount: number;
}

export interface CausalGraph {
  nodes: CausalEventRecord[];
  links: CausalLinkRecord[];
  /** True when the session holds more than was asked for. */
  truncated: boolean;
}

/** Why things happened: asked of a DuckDB projection that follows the record. */
export interface CausalMemoryCore {
  narrative(input: { sessionId: string; query: string; maxTokens: number }): Promise<CausalNarrative>;
  why(sessionId: string, eventId: string): Promise<CausalGraph>;
  effects(sessionId: string, eventId: string): Promise<CausalGraph>;
  graph(input: { sessionId: string; aroundEventId: string | null; limit: number }): Promise<CausalGraph>;
  /** `available` only after a query has really been answered; lag is in changes not yet projected. */
  status(): Promise<{ available: boolean; reason: string | null; lag: number }>;
  /** Forgets a session's rows in the projection. */
  eraseSession(sessionId: string): Promise<void>;
  close(): Promise<void>;
}
