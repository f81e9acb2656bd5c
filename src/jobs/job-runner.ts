import { systemClock, type Clock } from '../base/clock.ts';
import { silentLogger, type Logger } from '../base/logger.ts';
import type { JobStore } from '../store/memory-dal.ts';
import type { JobRecord } from '../store/records.ts';
import { describeError, JobError } from './job-error.ts';

export interface JobContext {
  /** Aborts when the runner gives up waiting at a stop, or when the lease was lost to someone else. */
  signal: AbortSignal;
  /** 1 the first time. */
  attempt: number;
  /** Whether a failure now sets the job aside. */
  isLastAttempt: boolean;
}

/**
 * Does one job. A job may run more than once (a crash after the work and before its removal), so handlers check
 * what is already done. Resolving removes the job; throwing puts it back, see `JobError`.
 */
export type JobHandler = (job: JobRecord, context: JobContext) => Promise<void>;

export interface JobRunnerOptions {
  jobs: JobStore;
  clock?: Clock;
  logger?: Logger;
  /** Jobs that run at the same time. */
  concurrency?: number;
  /** How long a job may be without news before someone else may take it up, in milliseconds; renewed meanwhile. */
  leaseMs?: number;
  /** After this many attempts a job is set aside as failed. */
  maxAttempts?: number;
  /** The first wait after a failure, and the longest, in milliseconds. Doubles with each attempt. */
  backoff?: { firstMs: number; longestMs: number };
  /** From 0 to 1, for the jitter of the waits. */
  random?: () => number;
}

/**
 * How long nudges are gathered before one look at the record answers them all, in milliseconds: a look in the middle of a
 * reply would stand in the writer's queue before the turns that the reply waits for.
 */
const GATHER_MS = 25;
/** The longest sleep between two looks, in milliseconds: a safety net for a clock that was set back. */
const MAX_SLEEP_MS = 60_000;
/** The wait after the store itself failed, in milliseconds. */
const STORE_TROUBLE_MS = 1_000;

/**
 * Runs the background jobs of the record: a bounded number at a time, each under a lease, with retries. Wakes up
 * when it is nudged and when the next job is due; it never polls.
 */
export class JobRunner {
  readonly #jobs: JobStore;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #concurrency: number;
  readonly #leaseMs: number;
  readonly #maxAttempts: number;
  readonly #backoff: { firstMs: number; longestMs: number };
  readonly #random: () => number;
  readonly #handlers = new Map<string, JobHandler>();
  readonly #running = new Map<Promise<void>, AbortController>();
  /** Kinds of which nothing is taken up before a time, in milliseconds since the epoch. */
  readonly #resting = new Map<string, number>();
  readonly #idleWaiters = new Set<() => void>();
  #started = false;
  #looking = false;
  #lookAgain = false;
  #timer: NodeJS.Timeout | null = null;
  #gathering: NodeJS.Timeout | null = null;

  constructor(options: JobRunnerOptions) {
    this.#jobs = options.jobs;
    this.#clock = options.clock ?? systemClock;
    this.#logger = options.logger ?? silentLogger;
    this.#concurrency = options.concurrency ?? 4;
    this.#leaseMs = options.leaseMs ?? 60_000;
    this.#maxAttempts = options.maxAttempts ?? 8;
    this.#backoff = options.backoff ?? { firstMs: 2_000, longestMs: 15 * 60_000 };
    this.#random = options.random ?? Math.random;
  }

  /** Names who does jobs of a kind. Jobs of a kind that nobody has registered stay where they are. */
  register(kind: string, handler: JobHandler): void {
    if (this.#handlers.has(kind)) throw new Error(`Two handlers for jobs of the kind ${kind}.`);
    this.#handlers.set(kind, handler);
  }

  start(): void {
    this.#started = true;
    this.#lookNow();
  }

  /** Says that there may be something to do: call it after storing jobs. Cheap, never throws; several in a row are one. */
  nudge(): void {
    if (!this.#started) return;
    this.#gathering ??= setTimeout(() => this.#lookNow(), GATHER_MS).unref();
  }

  #lookNow(): void {
    if (!this.#started) return;
    if (this.#gathering) clearTimeout(this.#gathering);
    this.#gathering = null;
    if (this.#looking) this.#lookAgain = true;
    else void this.#look();
  }

  /** Resolves when nothing runs and nothing is due (jobs that wait for a later time do not count). */
  whenIdle(): Promise<void> {
    return new Promise((resolve) => {
      this.#idleWaiters.add(resolve);
      this.#lookNow();
      this.#settleIdle();
    });
  }

  /**
   * Takes up nothing more and waits for what runs, at most `limitMs`. What has not ended by then hears it through
   * its signal, and its job keeps its lease: it runs again when that has run out.
   */
  async stop(limitMs: number): Promise<void> {
    this.#started = false;
    for (const timer of [this.#timer, this.#gathering]) if (timer) clearTimeout(timer);
    this.#timer = null;
    this.#gathering = null;
    for (const resolve of this.#idleWaiters) resolve();
    this.#idleWaiters.clear();
    let limit: NodeJS.Timeout | undefined;
    const outOfTime = new Promise<void>((resolve) => (limit = setTimeout(resolve, limitMs)));
    await Promise.race([this.#allEnded(), outOfTime]);
    clearTimeout(limit);
    for (const controller of this.#running.values()) controller.abort();
    if (this.#running.size > 0)
      this.#logger.warn({ jobs: this.#running.size }, 'jobs were left for the next start');
  }

  /** Also waits for a look that is under way: it may be taking up jobs right now. */
  async #allEnded(): Promise<void> {
    while (this.#looking || this.#running.size > 0) {
      await Promise.all([...this.#running.keys()]);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async #look(): Promise<void> {
    this.#looking = true;
    let sleepMs: number | null;
    do {
      this.#lookAgain = false;
      sleepMs = await this.#takeUpDueJobs();
    } while (this.#lookAgain && this.#started);
    this.#looking = false;
    if (!this.#started) return;
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer =
      sleepMs === null ? null : setTimeout(() => this.#lookNow(), Math.min(sleepMs, MAX_SLEEP_MS)).unref();
    this.#settleIdle(sleepMs);
  }

  /** Starts what is due while there is room. Returns the time to sleep in milliseconds; null: until nudged. */
  async #takeUpDueJobs(): Promise<number | null> {
    const now = this.#clock.now();
    for (const [kind, until] of this.#resting) if (until <= now) this.#resting.delete(kind);
    const kinds = [...this.#handlers.keys()].filter((kind) => !this.#resting.has(kind));
    const rested = Math.min(...this.#resting.values());
    try {
      const room = this.#concurrency - this.#running.size;
      // The end of a running job is a nudge.
      if (room <= 0) return null;
      const claimed =
        kinds.length === 0 ? [] : await this.#jobs.claim({ kinds, limit: room, leaseMs: this.#leaseMs, now });
      for (const job of claimed) this.#begin(job);
      if (claimed.length === room) return null;
      const due = kinds.length === 0 ? null : await this.#jobs.nextDue(kinds);
      const next = Math.min(due ?? Infinity, rested);
      return next === Infinity ? null : Math.max(1, next - this.#clock.now());
    } catch (error) {
      this.#logger.error({ error: describeError(error) }, 'the jobs could not be read');
      return STORE_TROUBLE_MS;
    }
  }

  #begin(job: JobRecord): void {
    const controller = new AbortController();
    const run: Promise<void> = this.#run(job, controller).finally(() => {
      this.#running.delete(run);
      this.#lookNow();
    });
    this.#running.set(run, controller);
  }

  async #run(job: JobRecord, controller: AbortController): Promise<void> {
    const { sessionId, jobId, attempts } = job;
    const renewal = setInterval(() => {
      const leaseUntil = this.#clock.now() + this.#leaseMs;
      this.#jobs.renew({ sessionId, jobId, attempts, leaseUntil }).then(
        (held) => {
          if (!held) controller.abort();
        },
        (error: unknown) =>
          this.#logger.warn({ jobId, error: describeError(error) }, 'a lease could not be renewed'),
      );
    }, this.#leaseMs / 3).unref();
    try {
      await this.#handle(job, controller.signal);
      if (!controller.signal.aborted) await this.#jobs.complete(sessionId, jobId);
    } catch (error) {
      if (!controller.signal.aborted) await this.#putBack(job, error);
    } finally {
      clearInterval(renewal);
    }
  }

  async #handle(job: JobRecord, signal: AbortSignal): Promise<void> {
    // More attempts than allowed: whatever it does, it ended the process each time.
    if (job.attempts > this.#maxAttempts) throw new JobError('attempted too often', { retryAt: null });
    await this.#handlers.get(job.kind)?.(job, {
      signal,
      attempt: job.attempts,
      isLastAttempt: job.attempts === this.#maxAttempts,
    });
  }

  async #putBack(job: JobRecord, error: unknown): Promise<void> {
    const { sessionId, jobId, kind, attempts } = job;
    const deferred = error instanceof JobError && error.retryAt !== null;
    const retryAt = this.#retryAt(attempts, error);
    if (error instanceof JobError && error.forAll && retryAt !== null) this.#resting.set(kind, retryAt);
    const message = describeError(error);
    const fields = { jobId, sessionId, kind, attempt: attempts, error: message };
    if (retryAt === null) this.#logger.error(fields, 'a job failed and was set aside');
    else if (deferred) this.#logger.debug(fields, 'a job waits for a better time');
    else this.#logger.warn(fields, 'a job failed and will be tried again');
    try {
      await this.#jobs.fail({ sessionId, jobId, error: message, retryAt, counts: !deferred });
    } catch (storeError) {
      // The lease runs out, and the job runs again.
      this.#logger.error({ jobId, error: describeError(storeError) }, 'a failed job could not be put back');
    }
  }

  #retryAt(attempts: number, error: unknown): number | null {
    if (error instanceof JobError) return error.retryAt;
    if (attempts >= this.#maxAttempts) return null;
    // Half of the wait is left to chance: jobs that failed together do not come back together.
    const wait = Math.min(this.#backoff.longestMs, this.#backoff.firstMs * 2 ** (attempts - 1));
    return this.#clock.now() + Math.round(wait * (0.5 + this.#random() / 2));
  }

  #settleIdle(sleepMs?: number | null): void {
    const nothingDue = sleepMs === null || (sleepMs !== undefined && sleepMs > 1);
    const idle = this.#started
      ? nothingDue && this.#running.size === 0 && !this.#looking && !this.#gathering
      : true;
    if (!idle) return;
    for (const resolve of this.#idleWaiters) resolve();
    this.#idleWaiters.clear();
  }
}
