import type {
  Agent,
  AgentStateRecord,
  ConversationRecord,
  JobRecord,
  JsonObject,
  MostTurns,
  NewJob,
  NewTurn,
  Page,
  SessionRecord,
  SummaryRecord,
  TermCounts,
  TurnRecord,
} from './records.ts';
import type { ActivityStore } from './activity-store.ts';
import type { BudgetStore } from './budget-store.ts';
import type { CausalStore } from './causal-store.ts';
import type { CausalVectorStore } from './causal-vector-store.ts';
import type { CycleStore } from './cycle-store.ts';
import type { FactStore } from './fact-store.ts';
import type { LessonStore } from './lesson-store.ts';
import type { Nearby } from './nearby.ts';
import type { ReindexStore } from './reindex-store.ts';
import type { RetentionStore } from './retention-store.ts';
import type { SharedRecord } from './shared-record.ts';
import type { SessionStatistics } from './statistics.ts';
import type { TransferStore } from './transfer-store.ts';
import type { TurnIndex } from './turn-index.ts';
import type { VectorStore } from './vector-store.ts';

/**
 * The system of record. Asynchronous even where the engine is not, so that every implementation can stand in
 * for every other; one test suite (`test/store`) runs against each.
 *
 * Each method is one transaction: it is done wholly and durably when its promise resolves, or not at all when it
 * rejects. Arguments and results are plain data (they cross a thread). "Not found" is `null`, never an exception;
 * rules of the record that a caller breaks are a `CccError`.
 */
export interface MemoryDAL {
  readonly sessions: SessionStore;
  readonly conversations: ConversationStore;
  readonly turns: TurnStore;
  readonly index: TurnIndex;
  readonly vectors: VectorStore;
  readonly summaries: SummaryStore;
  readonly agents: AgentStateStore;
  readonly facts: FactStore;
  readonly lessons: LessonStore;
  readonly cycles: CycleStore;
  readonly budgets: BudgetStore;
  readonly reindex: ReindexStore;
  readonly retention: RetentionStore;
  readonly jobs: JobStore;
  readonly causal: CausalStore;
  readonly causalVectors: CausalVectorStore;
  readonly activity: ActivityStore;
  readonly maintenance: MaintenanceStore;
  readonly transfer: TransferStore;
  /** Null where one process has the record for itself. */
  readonly shared: SharedRecord | null;
  /** What is answered beside the data; null where that is no other place than here. */
  readonly nearby: Nearby | null;
  /** Finishes what was begun, then closes. Idempotent. */
  close(): Promise<void>;
}

export interface SessionStore {
  /** `tokenHash` is the hash of the session's token; the token itself is never stored. */
  create(input: {
    sessionId: string;
    tokenHash: string;
    userPreferences: JsonObject;
    initialContext: JsonObject | null;
    now: number;
  }): Promise<SessionRecord>;
  get(sessionId: string): Promise<SessionRecord | null>;
  findByTokenHash(tokenHash: string): Promise<SessionRecord | null>;
  /** By last activity, newest first. */
  list(input: {
    limit: number;
    cursor: string | null;
    status?: SessionRecord['status'];
    /** Only those whose preference `name`, or whose id, contains this; A to Z in either case. */
    name?: string;
  }): Promise<Page<SessionRecord>>;
  setPreferences(sessionId: string, userPreferences: JsonObject, now: number): Promise<SessionRecord | null>;
  setStatus(sessionId: string, status: SessionRecord['status'], now: number): Promise<SessionRecord | null>;
  /** What the session holds, counted. Null when there is none. */
  statistics(sessionId: string): Promise<SessionStatistics | null>;
  /** Every row of the session in every table. False when there was none. */
  erase(sessionId: string): Promise<boolean>;
}

export interface ConversationStore {
  /** Stores the conversation and, when given, its first turns. @throws session_not_found, session_archived, session_full */
  create(input: {
    sessionId: string;
    conversationId: string;
    directive: string;
    turns: NewTurn[];
    jobs: NewJob[];
    maxTurns?: MostTurns;
    now: number;
  }): Promise<{ conversation: ConversationRecord; turns: TurnRecord[] }>;
  get(conversationId: string): Promise<ConversationRecord | null>;
  /** Those of the session that there are, in no order that counts. */
  getMany(sessionId: string, conversationIds: string[]): Promise<ConversationRecord[]>;
  list(input: { sessionId: string; limit: number; cursor: string | null }): Promise<Page<ConversationRecord>>;
}

/** What an Idempotency-Key stands for: the same key with the same request gives the first answer again. */
export interface Idempotency {
  key: string;
  requestHash: string;
}

export interface TurnStore {
  /**
   * Appends turns to a conversation, numbering them inside the transaction, with their index rows and `jobs`.
   * @throws session_not_found, conversation_not_found, session_archived, session_full, idempotency_conflict
   */
  append(input: {
    sessionId: string;
    conversationId: string;
    turns: NewTurn[];
    jobs: NewJob[];
    idempotency?: Idempotency;
    maxTurns?: MostTurns;
    now: number;
  }): Promise<{ turns: TurnRecord[]; replayed: boolean }>;
  get(sessionId: string, turnId: string): Promise<TurnRecord | null>;
  /** In order of turn number; `fromNumber` inclusive. */
  list(input: {
    sessionId: string;
    conversationId: string;
    fromNumber: number;
    limit: number;
  }): Promise<TurnRecord[]>;
  /** The last `limit` turns of a conversation, in order. */
  recent(input: { sessionId: string; conversationId: string; limit: number }): Promise<TurnRecord[]>;
  /** The named turns, one for each pair and in the same order; null where a pair names no turn. */
  byPosition(
    sessionId: string,
    positions: { conversationOrdinal: number; turnNumber: number }[],
  ): Promise<(TurnRecord | null)[]>;
  /** Turns whose `metadata.thread_key` is this, newest first: where a resent history was heard before. */
  byThreadKey(sessionId: string, threadKey: string, limit: number): Promise<TurnRecord[]>;
}

export interface SummaryStore {
  /** The newest version for a conversation, or of the session with `conversationId` null. */
  latest(sessionId: string, conversationId: string | null): Promise<SummaryRecord | null>;
  /** All newest conversation summaries of a session, oldest conversation first. */
  latestOfAll(sessionId: string): Promise<SummaryRecord[]>;
  history(sessionId: string, conversationId: string | null): Promise<SummaryRecord[]>;
  /** Adds a version, unless `basedOnVersion` is no longer the newest (then null: the work is stale). 0 when there was none. */
  add(input: Omit<SummaryRecord, 'version'> & { basedOnVersion: number }): Promise<SummaryRecord | null>;
}

export interface AgentStateStore {
  get(sessionId: string, agent: Agent): Promise<AgentStateRecord | null>;
  list(sessionId: string): Promise<AgentStateRecord[]>;
  /** Replaces the state when `expectedVersion` still holds (0: none yet); null when it does not. */
  put(input: {
    sessionId: string;
    agent: Agent;
    expectedVersion: number;
    state: JsonObject;
    now: number;
  }): Promise<AgentStateRecord | null>;
}

export interface JobStore {
  enqueue(sessionId: string, jobs: NewJob[], now: number): Promise<void>;
  /** Takes up to `limit` jobs that are due, oldest first, for `leaseMs`; a lease that ran out makes a job due again. */
  claim(input: { kinds: string[]; limit: number; leaseMs: number; now: number }): Promise<JobRecord[]>;
  /**
   * Keeps a running job's lease alive until `leaseUntil`. False when the lease is lost: the job was finished, or taken
   * up again by someone else (`attempts` is then higher than the one the holder was given).
   */
  renew(input: { sessionId: string; jobId: string; attempts: number; leaseUntil: number }): Promise<boolean>;
  /** Removes a finished job. */
  complete(sessionId: string, jobId: string): Promise<void>;
  /**
   * Puts it back to be run at `retryAt`, or sets it aside as failed when `retryAt` is null. `counts: false` gives the
   * attempt back: it was no failure, only the wrong time.
   */
  fail(input: {
    sessionId: string;
    jobId: string;
    error: string;
    retryAt: number | null;
    counts: boolean;
  }): Promise<void>;
  /** Jobs that were set aside as failed. */
  failed(input: { limit: number; cursor: string | null }): Promise<Page<JobRecord>>;
  /**
   * Gives failed jobs (one, those of a kind, or all) their attempts back and makes them due, up to a thousand at once. One
   * whose twin waits already is left to that. Returns how many there were.
   */
  retry(input: { jobId?: string; kind?: string; now: number }): Promise<number>;
  /** Jobs by kind and state. */
  counts(): Promise<{ kind: string; state: JobRecord['state']; count: number }[]>;
  /** Earliest time at which a waiting job of these kinds is due; null when there is none. */
  nextDue(kinds: string[]): Promise<number | null>;
}

export interface MaintenanceStore {
  /** Rows in all, kept by counters, not by scanning. */
  counts(): Promise<{ sessions: number; conversations: number; turns: number }>;
  /** Problems found by the engine's own integrity and foreign key checks; empty when sound. */
  check(): Promise<string[]>;
  /** One small read and, when `write` is set, one small durable write: for readiness. */
  ping(write: boolean): Promise<void>;
  /** Whole session as records in a fixed order, page by page; see `docs/export-format.md`. */
  exportPage(sessionId: string, cursor: string | null, limit: number): Promise<Page<ExportRow>>;
  /**
   * Stores rows of an export, in the order of the export: the first one is the `sessions` row and begins the import.
   * Nothing of it is visible until `importCommit`; an import that a crash left open is cleared away at the next start.
   * @throws session_exists when the id is taken, by a session or by another import;
   *   invalid_request when a row does not belong into an export of this session
   */
  importBatch(sessionId: string, rows: ImportRow[]): Promise<void>;
  /**
   * Makes the imported session visible, with jobs to be done for it.
   * @throws session_not_found when no import of it is open; invalid_request when turns are missing in the middle
   */
  importCommit(input: {
    sessionId: string;
    tokenHash: string;
    jobs: NewJob[];
    now: number;
  }): Promise<SessionRecord>;
  /** Removes what an import has stored. */
  importAbort(sessionId: string): Promise<void>;
}

/** One row of a session's export: the table's name, and the row's columns with times as ISO-8601 in UTC. */
export interface ExportRow {
  table: string;
  row: JsonObject;
}

/** An export's row on its way back. A row of `turns`, `causal_events` or `facts` brings its index entries, which an export does not hold. */
export interface ImportRow extends ExportRow {
  terms?: TermCounts;
}
