import type { TermList } from './packed-terms.ts';

/** The facts of the record, as TypeScript sees them. Times are milliseconds since the epoch, UTC. */

/** Wykeve is the person, Beatrice the Supervisor, Codey the Executor. */
export const AGENTS = ['wykeve', 'beatrice', 'codey'] as const;
export type Agent = (typeof AGENTS)[number];

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

export interface SessionRecord {
  sessionId: string;
  createdAt: number;
  lastActive: number;
  status: 'active' | 'archived';
  userPreferences: JsonObject;
  initialContext: JsonObject | null;
  conversationCount: number;
  totalTurns: number;
}

export interface ConversationRecord {
  sessionId: string;
  conversationId: string;
  /** 1, 2, 3 … inside its session, in the order of creation. */
  ordinal: number;
  /** The directive that began it; kept as its title. */
  directive: string;
  createdAt: number;
  lastActive: number;
  /** Turns so far: the number of the newest one. */
  turnCount: number;
  /** Of these, how many are not kept any longer. */
  removedTurns: number;
}

/** What a turn was in its conversation. */
export const TURN_KINDS = ['directive', 'guidance', 'draft', 'verdict', 'answer', 'message', 'tool'] as const;
export type TurnKind = (typeof TURN_KINDS)[number];

export interface TurnRecord {
  sessionId: string;
  conversationId: string;
  turnId: string;
  /** 1, 2, 3 … in its conversation, without gaps or repeats. */
  turnNumber: number;
  agent: Agent;
  kind: TurnKind;
  content: string;
  /** Who of several people spoke, when it matters. */
  speaker: string | null;
  /** When it was said. */
  timestamp: number;
  /** When it was stored. */
  storedAt: number;
  cycleId: string | null;
  metadata: JsonObject;
}

/** A turn on its way into the record, with the index entries that are written in its transaction. */
export interface NewTurn {
  turnId: string;
  agent: Agent;
  kind: TurnKind;
  content: string;
  speaker: string | null;
  timestamp: number;
  cycleId: string | null;
  metadata: JsonObject;
  terms: TermCounts;
}

/** What the lexical index keeps of a text. */
export interface TermCounts {
  /** Distinct terms with how often each occurs. */
  terms: TermList;
  /** Number of term occurrences: the document length of BM25. */
  length: number;
  /** Bits for what else was seen in the text (`src/text/term-counts.ts`); none when absent. */
  traits?: number;
  /** The version of the analyser that made them; the first when absent. */
  version?: number;
}

export interface AgentStateRecord {
  sessionId: string;
  agent: Agent;
  /** Goes up by one with each write; a write that names an older one is refused. */
  version: number;
  state: JsonObject;
  updatedAt: number;
}

export interface SummaryRecord {
  sessionId: string;
  /** Null for the summary of the whole session. */
  conversationId: string | null;
  /** 1, 2, 3 …; the newest one counts, older ones are its history. */
  version: number;
  text: string;
  /** Last turn number covered (conversation) or last conversation ordinal covered (session). */
  coversThrough: number;
  /** The ids of the first and the last turn covered; null for a session summary made of others. */
  firstTurnId: string | null;
  lastTurnId: string | null;
  author: 'model' | 'person' | 'rule';
  createdAt: number;
}

export interface JobRecord {
  sessionId: string;
  jobId: string;
  kind: string;
  payload: JsonObject;
  attempts: number;
  runAt: number;
  state: 'ready' | 'running' | 'failed';
  lastError: string | null;
  createdAt: number;
}

/** A job on its way into the record. Two waiting jobs of one session with the same kind and `dedupeKey` are one. */
export interface NewJob {
  kind: string;
  dedupeKey: string;
  payload: JsonObject;
  /** Earliest time to run it. */
  runAt: number;
}

/** One page of a list, newest first unless a method says otherwise. */
export interface Page<T> {
  items: T[];
  /** Give it back to get the next page; null at the end. */
  nextCursor: string | null;
}

/**
 * Most turns that the session may hold afterwards; what would make it more is `session_full`, with nothing stored. A full
 * session takes no call with this, even one that brings no turn yet: it is there to bring some.
 */
export type MostTurns = number;
