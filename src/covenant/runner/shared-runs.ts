import { randomUUID } from 'node:crypto';
import type { Logger } from '../../base/logger.ts';
import type { NoticeListener, SharedRecord } from '../../store/shared-record.ts';
import type { CycleRun } from './cycle-run.ts';

/** How long a server may be silent before others take up its cycles, where nothing else is said, in milliseconds. */
export const LEASE_MS = 15_000;
/** Cycles of others that are taken up at once. */
const ADOPTED_AT_ONCE = 4;

/** What the keeper of the runs of this process is asked to do. */
export interface RunKeeper {
  /** The runs of this process. */
  running: ReadonlyMap<string, CycleRun>;
  /** Lets an open cycle go on here. */
  adopt(cycleId: string): Promise<unknown>;
}

/**
 * Where several servers share a record: holds a lease for each cycle that runs here, ends those that another server has
 * taken, takes up those that a server has left, and passes on what others ask.
 */
export class SharedRuns {
  readonly runner = `server_${randomUUID()}`;
  readonly #shared: SharedRecord;
  readonly #leaseMs: number;
  readonly #logger: Logger;
  readonly #keeper: RunKeeper;
  readonly #unlisten: () => void;
  #timer: NodeJS.Timeout | null = null;
  #stopped = false;

  constructor(shared: SharedRecord, leaseMs: number, logger: Logger, keeper: RunKeeper) {
    this.#shared = shared;
    this.#leaseMs = leaseMs;
    this.#logger = logger;
    this.#keeper = keeper;
    this.#unlisten = shared.notices.listen({
      heard: (notice) => {
        if (notice.kind === 'cancel') keeper.running.get(notice.cycleId)?.cancel();
        if (notice.kind === 'erased') {
          for (const run of keeper.running.values()) if (run.sessionId === notice.sessionId) run.cancel();
        }
      },
      missed: () => undefined,
    });
    this.#schedule();
  }

  /** Takes the lease of a cycle; false when it runs on another server. */
  take(sessionId: string, cycleId: string): Promise<boolean> {
    const { runner } = this;
    return this.#shared.leases.take({ sessionId, cycleId, runner, leaseMs: this.#leaseMs });
  }

  /** Takes the lease of a run that has just begun, and gives it back when it rests. */
  hold(run: CycleRun): void {
    const { sessionId, cycleId } = run;
    const taken = run.recorded
      .then(() => this.take(sessionId, cycleId))
      // The next renewal tries again.
      .catch(() => undefined);
    const release = () =>
      taken
        .then(() => this.#shared.leases.release({ sessionId, cycleId, runner: this.runner }))
        // It runs out by itself.
        .catch(() => undefined);
    run.done.then(release, release);
  }

  askToCancel(cycleId: string): Promise<void> {
    return this.#shared.notices.askToCancel(cycleId);
  }

  listen(listener: NoticeListener): () => void {
    return this.#shared.notices.listen(listener);
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer) clearTimeout(this.#timer);
    this.#unlisten();
  }

  #schedule(): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => void this.#look(), this.#leaseMs / 3).unref();
  }

  async #look(): Promise<void> {
    try {
      await this.#renew();
      if (!this.#stopped) await this.#adopt();
    } catch (error) {
      this.#logger.warn({ err: error }, 'the leases of cycles could not be renewed');
    }
    this.#schedule();
  }

  async #renew(): Promise<void> {
    const runs = new Map(this.#keeper.running);
    if (runs.size === 0) return;
    const { runner } = this;
    const renewed = await this.#shared.leases.renew({
      runner,
      cycleIds: [...runs.keys()],
      leaseMs: this.#leaseMs,
    });
    for (const cycleId of renewed) runs.delete(cycleId);
    for (const [cycleId, run] of runs) {
      if (run.isNew || (await this.take(run.sessionId, cycleId))) continue;
      // What it is asked to do is done elsewhere by now, and its next commit would be refused.
      if (this.#keeper.running.has(cycleId)) run.cancel();
    }
  }

  async #adopt(): Promise<void> {
    const orphans = await this.#shared.leases.orphans({ leaseMs: this.#leaseMs, limit: ADOPTED_AT_ONCE });
    for (const cycleId of orphans) {
      if (this.#stopped || this.#keeper.running.has(cycleId)) continue;
      try {
        await this.#keeper.adopt(cycleId);
        this.#logger.info({ cycle_id: cycleId }, 'a cycle that another server has left goes on here');
      } catch (error) {
        // Another server was quicker, or it was erased.
        this.#logger.debug({ err: error, cycle_id: cycleId }, 'a cycle was not taken up');
      }
    }
  }
}
