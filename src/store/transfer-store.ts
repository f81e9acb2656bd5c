import type { JobRecord } from './records.ts';

/** What a session has beside its export: what only the server that holds it needs. */
export interface SessionBelongings {
  tokenHash: string;
  jobs: (JobRecord & { dedupeKey: string })[];
  idempotencyKeys: StoredIdempotencyKey[];
}

export interface StoredIdempotencyKey {
  key: string;
  requestHash: string;
  conversationId: string;
  firstTurnNumber: number;
  turnCount: number;
  createdAt: number;
}

/** What was spent, of all sessions together and by caller; days since 1970-01-01 (UTC). */
export interface Spending {
  days: { day: number; tokens: number; ms: number; rounds: number }[];
  callers: { caller: string; day: number; tokens: number }[];
}

/** The vectors of a conversation's turns. */
export interface ConversationVectors {
  conversationId: string;
  model: string;
  throughTurn: number;
  vectors: { turnNumber: number; vector: Float32Array<ArrayBuffer> }[];
}

/** Some vectors of a session's events. */
export interface EventVectors {
  model: string;
  throughSeq: number;
  vectors: { eventNo: number; changeSeq: number; vector: Float32Array<ArrayBuffer> }[];
}

/** For the move of a record to another engine: what an export leaves out. What is taken twice is there once. */
export interface TransferStore {
  /** Null when there is no such session. */
  belongings(sessionId: string): Promise<SessionBelongings | null>;
  /** Stores jobs and keys. One that was running is due again. @throws session_not_found */
  takeBelongings(sessionId: string, belongings: SessionBelongings): Promise<void>;
  /** Those of the first conversation that has any after one, in the order of ids. */
  conversationVectors(sessionId: string, after: string): Promise<ConversationVectors | null>;
  /** Of events after one, in the order of their numbers. */
  eventVectors(sessionId: string, after: number, limit: number): Promise<EventVectors | null>;
  spending(): Promise<Spending>;
  takeSpending(spending: Spending): Promise<void>;
}
