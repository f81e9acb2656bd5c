import type { Amount, Reservation } from './budget-store.ts';
import type { JsonObject, MostTurns, NewJob, NewTurn, TurnRecord } from './records.ts';

/** A covenant cycle: a durable record with a state, not just an HTTP request. */
export interface CycleRecord {
  sessionId: string;
  conversationId: string;
  cycleId: string;
  /** The machine's state name. */
  status: string;
  /** How it ended, from a closed list; null while it runs. */
  outcome: string | null;
  /** What was asked, and with which settings. Enough to run the cycle again. */
  request: JsonObject;
  /** The pure machine's whole state, with a format version inside. */
  machine: JsonObject;
  /** Goes up with each commit: a writer that names an older one has been overtaken and is refused. */
  version: number;
  createdAt: number;
  updatedAt: number;
}

/** A cycle without what only its runner needs. */
export type CycleHead = Omit<CycleRecord, 'request' | 'machine'>;

/** One command the runner carried out: a row before the call, its result after it. */
export interface CycleStepRecord {
  sessionId: string;
  cycleId: string;
  stepId: string;
  /** 1, 2, 3 … in its cycle. */
  stepNumber: number;
  kind: string;
  agent: string | null;
  round: number;
  attempt: number;
  status: 'open' | 'done' | 'failed';
  /** Prompt hash, model, injected turn ids. */
  input: JsonObject;
  /** Text, parsed result, usage, error. */
  output: JsonObject | null;
  startedAt: number;
  endedAt: number | null;
}

/** What happened in a cycle, for those who watch it; ids are `seq`. */
export interface CycleEventRecord {
  sessionId: string;
  cycleId: string;
  /** 1, 2, 3 … in its cycle. */
  seq: number;
  type: string;
  data: JsonObject;
  createdAt: number;
}

/** The row of a step before its call. */
export type OpenStep = Omit<CycleStepRecord, 'sessionId' | 'cycleId' | 'status' | 'output' | 'endedAt'>;

/** One step boundary: everything in it is stored together or not at all. */
export interface CycleCommit {
  sessionId: string;
  cycleId: string;
  /** The version the writer last saw. @throws cycle_conflict when it is no longer the newest */
  expectedVersion: number;
  status: string;
  outcome: string | null;
  machine: JsonObject;
  openStep?: OpenStep;
  closeStep?: { stepId: string; status: 'done' | 'failed'; output: JsonObject; endedAt: number };
  /** What the last call has cost: its reservation is taken back, and this is counted as spent. */
  settle?: Amount;
  /** For the call that is being opened; `grantedMs` of the result is the time it was given. @throws budget_exhausted when it does not fit, with nothing stored */
  reserve?: Reservation;
  turns: NewTurn[];
  events: { type: string; data: JsonObject }[];
  jobs: NewJob[];
  now: number;
}

export interface CycleStore {
  /**
   * Stores a new cycle with its first turns (the directive), events and step, in one transaction.
   * @throws session_full; budget_exhausted when the first call's reservation does not fit, with nothing stored
   */
  create(
    input: Omit<CycleRecord, 'version' | 'updatedAt'> & {
      turns: NewTurn[];
      events: { type: string; data: JsonObject }[];
      jobs: NewJob[];
      openStep?: OpenStep;
      reserve?: Reservation;
      maxTurns?: MostTurns;
    },
  ): Promise<{ cycle: CycleRecord; turns: TurnRecord[]; events: CycleEventRecord[]; grantedMs: number }>;
  /** @throws cycle_not_found; cycle_conflict when the cycle has gone on elsewhere, with nothing stored */
  commit(
    commit: CycleCommit,
  ): Promise<{ version: number; turns: TurnRecord[]; events: CycleEventRecord[]; grantedMs: number }>;
  get(cycleId: string): Promise<CycleRecord | null>;
  steps(sessionId: string, cycleId: string): Promise<CycleStepRecord[]>;
  /** Events after `afterSeq`, in order. */
  events(input: {
    sessionId: string;
    cycleId: string;
    afterSeq: number;
    limit: number;
  }): Promise<CycleEventRecord[]>;
  /** Newest first. */
  list(input: {
    sessionId: string;
    conversationId?: string;
    limit: number;
    cursor: string | null;
  }): Promise<{ items: CycleHead[]; nextCursor: string | null }>;
  /** Cycles of a session with the outcome awaiting_tools, newest first. */
  waitingForTools(sessionId: string, limit: number): Promise<Omit<CycleRecord, 'request'>[]>;
  /** Cycles by outcome or, while they run, by status. */
  counts(): Promise<{ name: string; count: number }[]>;
}
