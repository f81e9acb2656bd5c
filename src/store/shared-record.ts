import type { RateLimiterAbstract } from 'rate-limiter-flexible';

/** What several servers need of each other when they share a record. */
export interface SharedRecord {
  readonly leases: CycleLeaseStore;
  readonly notices: RecordNotices;
  readonly rateLimits: SharedRateLimits;
}

/** Limits of requests that hold for all servers together. */
export interface SharedRateLimits {
  /** A limit of `points` in `durationS` seconds for each key. Limits of one name count together. */
  limiter(options: { name: string; points: number; durationS: number }): RateLimiterAbstract;
}

/**
 * Which server runs which cycle. A lease is a promise to be heard of again within `leaseMs`, by the clock of the database.
 * Being overtaken is safe: taking a cycle from somebody raises its version, and a commit that names an older one is refused.
 */
export interface CycleLeaseStore {
  /** Takes a cycle for a runner. False when another one holds it, or when there is no such cycle. */
  take(input: { sessionId: string; cycleId: string; runner: string; leaseMs: number }): Promise<boolean>;
  /** Prolongs what a runner holds; the ids of those cycles of `cycleIds` that it does hold. */
  renew(input: { runner: string; cycleIds: string[]; leaseMs: number }): Promise<string[]>;
  release(input: { sessionId: string; cycleId: string; runner: string }): Promise<void>;
  /** Cycles at work that nobody holds and nothing has happened to for `leaseMs`, oldest first. */
  orphans(input: { leaseMs: number; limit: number }): Promise<string[]>;
}

export type RecordNotice =
  /** A cycle has a new version, and perhaps new events. */
  | { kind: 'cycle'; cycleId: string }
  /** Whoever runs this cycle is to end it. */
  | { kind: 'cancel'; cycleId: string }
  | { kind: 'erased'; sessionId: string };

export interface NoticeListener {
  heard(notice: RecordNotice): void;
  /** The connection was away for a time, and is there again: anything may have been told meanwhile. */
  missed(): void;
}

/** What is told to all servers on the record when it is stored, this one included. */
export interface RecordNotices {
  listen(listener: NoticeListener): () => void;
  askToCancel(cycleId: string): Promise<void>;
}
