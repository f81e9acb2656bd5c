import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import { createBackfill } from '../../jobs/backfill.ts';
import type { JobRunner } from '../../jobs/job-runner.ts';
import type { EmbeddingProvider } from '../../models/embeddings/embedding-provider.ts';
import type { MemoryDAL } from '../../store/memory-dal.ts';
import {
  EMBED_EVENTS,
  embedEvents,
  embedEventsJob,
  embedPortions,
  type EmbedPortion,
} from './embed-events.ts';

/** What an embedding model does for causal memory in the background. */
export interface CausalMeaning {
  /** Embeds what is new in a session before it is judged; null without a model. */
  portion: EmbedPortion | null;
  /** Begins with what is not embedded yet. */
  start(): void;
  stop(): Promise<void>;
}

/** Puts an embedding model to work on events; without one, nothing is done and nothing is stored. */
export function createCausalMeaning(deps: {
  provider: EmbeddingProvider | null;
  dal: Pick<MemoryDAL, 'causalVectors' | 'jobs'>;
  jobs: Pick<JobRunner, 'register' | 'nudge'>;
  clock: Clock;
  logger: Logger;
  /** Told of sessions that have new vectors. */
  changed: (sessionId: string) => void;
}): CausalMeaning {
  const { provider, dal, jobs, clock, logger, changed } = deps;
  if (!provider) {
    return { portion: null, start: () => undefined, stop: () => Promise.resolve() };
  }
  const { model } = provider;
  const stopping = new AbortController();
  const portion = embedPortions({ vectors: dal.causalVectors, provider, changed });
  jobs.register(EMBED_EVENTS, embedEvents({ portion, clock, stopping: stopping.signal }));
  const backfill = createBackfill<{ sessionId: string }>({
    jobs: dal.jobs,
    kind: EMBED_EVENTS,
    outdated: async (after, limit) =>
      (await dal.causalVectors.outdated({ model, after: after?.sessionId ?? null, limit })).map(
        (sessionId) => ({
          sessionId,
        }),
      ),
    jobOf: (_place, now) => embedEventsJob(now),
    what: 'older events are being embedded',
    clock,
    nudgeJobs: () => {
      jobs.nudge();
    },
    logger,
  });
  return {
    portion,
    start: () => {
      backfill.start();
    },
    stop: () => {
      stopping.abort();
      return backfill.stop();
    },
  };
}
