import { setTimeout as wait } from 'node:timers/promises';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { JobStore } from '../store/memory-dal.ts';
import type { NewJob } from '../store/records.ts';

/** Jobs stored at once. Few, so that what is said now does not wait behind a whole record. */
const JOBS_AT_ONCE = 8;
/** How often it is seen whether they are done, in milliseconds. */
const LOOK_MS = 1_000;

export interface Backfill {
  start(): void;
  stop(): Promise<void>;
}

/**
 * Gives jobs of one kind to all places of the record that want one, a few at a time: after something was turned on, or
 * works in another way now. What the record says decides, so a kill costs nothing.
 */
export function createBackfill<Place extends { sessionId: string }>(deps: {
  jobs: Pick<JobStore, 'counts' | 'enqueue'>;
  kind: string;
  /** The next places that are left, in the order of the record. */
  outdated(after: Place | null, limit: number): Promise<Place[]>;
  jobOf(place: Place, now: number): NewJob;
  /** What is done, for the log: "older conversations are being embedded". */
  what: string;
  clock: Clock;
  nudgeJobs: () => void;
  logger: Logger;
  lookMs?: number;
}): Backfill {
  const { jobs, kind, outdated, jobOf, what, clock, nudgeJobs, logger, lookMs = LOOK_MS } = deps;
  const stopping = new AbortController();
  let running: Promise<void> | null = null;

  const waiting = async () =>
    (await jobs.counts())
      .filter((counted) => counted.kind === kind && counted.state !== 'failed')
      .reduce((sum, { count }) => sum + count, 0);

  const run = async () => {
    let after: Place | null = null;
    while (!stopping.signal.aborted) {
      if ((await waiting()) < JOBS_AT_ONCE) {
        const places: Place[] = await outdated(after, JOBS_AT_ONCE);
        if (after === null && places.length > 0) logger.info({}, what);
        if (places.length === 0) return;
        for (const place of places) {
          const now = clock.now();
          // Erased meanwhile: nothing is left to be done for it.
          await jobs.enqueue(place.sessionId, [jobOf(place, now)], now).catch(() => undefined);
        }
        nudgeJobs();
        after = places.at(-1) ?? null;
      }
      await wait(lookMs, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined);
    }
  };

  return {
    start: () => {
      running ??= run().catch((error: unknown) => {
        logger.error({ err: error, kind }, 'the rest of the record could not be given its jobs');
      });
    },
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}
