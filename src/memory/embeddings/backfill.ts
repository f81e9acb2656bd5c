import { setTimeout as wait } from 'node:timers/promises';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import type { MemoryDAL } from '../../store/memory-dal.ts';
import type { ConversationPlace } from '../../store/vector-store.ts';
import { EMBED_TURNS, embedJob } from './jobs.ts';

/** Jobs stored at once. Few, so that what is said now does not wait behind a whole record. */
const JOBS_AT_ONCE = 8;
/** How often it is seen whether they are done, in milliseconds. */
const LOOK_MS = 1_000;

export interface Backfill {
  start(): void;
  stop(): Promise<void>;
}

/**
 * Gives jobs to all conversations that the model has not embedded, a few at a time: after embeddings were turned on, and
 * after another model was named. What the record says decides, so a kill costs nothing.
 */
export function createBackfill(deps: {
  dal: Pick<MemoryDAL, 'vectors' | 'jobs'>;
  model: string;
  clock: Clock;
  nudgeJobs: () => void;
  logger: Logger;
  lookMs?: number;
}): Backfill {
  const { dal, model, clock, nudgeJobs, logger, lookMs = LOOK_MS } = deps;
  const stopping = new AbortController();
  let running: Promise<void> | null = null;

  const waiting = async () =>
    (await dal.jobs.counts())
      .filter(({ kind, state }) => kind === EMBED_TURNS && state !== 'failed')
      .reduce((sum, { count }) => sum + count, 0);

  const run = async () => {
    let after: ConversationPlace | null = null;
    while (!stopping.signal.aborted) {
      if ((await waiting()) < JOBS_AT_ONCE) {
        const places: ConversationPlace[] = await dal.vectors.outdated({ model, after, limit: JOBS_AT_ONCE });
        if (after === null && places.length > 0)
          logger.info({ model }, 'older conversations are being embedded');
        if (places.length === 0) return;
        for (const { sessionId, conversationId } of places) {
          const now = clock.now();
          // Erased meanwhile: nothing is left to be done for it.
          await dal.jobs.enqueue(sessionId, [embedJob(conversationId, now)], now).catch(() => undefined);
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
        logger.error({ err: error }, 'older conversations could not be given to the embedding model');
      });
    },
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}
