import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import { createBackfill } from '../../jobs/backfill.ts';
import type { JobRunner } from '../../jobs/job-runner.ts';
import type { EmbeddingProvider } from '../../models/embeddings/embedding-provider.ts';
import {
  createQuestionVectors,
  type DenseStatus,
  type QuestionVectors,
} from '../../models/embeddings/question-vectors.ts';
import type { MemoryDAL } from '../../store/memory-dal.ts';
import type { NewJob } from '../../store/records.ts';
import type { ConversationPlace } from '../../store/vector-store.ts';
import { embedTurns } from './embed-turns.ts';
import { EMBED_TURNS, embedJob } from './jobs.ts';
import { createDenseSearch, type DenseSearch } from './query-embedder.ts';

/** Retrieval by meaning, as the server builds it. */
export interface DenseRetrieval {
  /** Null when embeddings are off. */
  search: DenseSearch | null;
  status(): DenseStatus | { state: 'off' };
  /** The work that new turns of a conversation give rise to. */
  jobsOf(conversationId: string, now: number): NewJob[];
  /** Loads the model and begins with what is not embedded yet. */
  start(): void;
  stop(): Promise<void>;
  close(): Promise<void>;
}

/** Puts an embedding model to work; without one, nothing is done and nothing is stored. */
export function createDenseRetrieval(deps: {
  provider: EmbeddingProvider | null;
  dal: Pick<MemoryDAL, 'vectors' | 'jobs'>;
  jobs: Pick<JobRunner, 'register' | 'nudge'>;
  clock: Clock;
  logger: Logger;
  /** Shared with others that ask the same; one of its own when absent. */
  questions?: QuestionVectors | null;
}): DenseRetrieval {
  const { provider, dal, jobs, clock, logger } = deps;
  if (!provider) {
    return {
      search: null,
      status: () => ({ state: 'off' }),
      jobsOf: () => [],
      start: () => undefined,
      stop: () => Promise.resolve(),
      close: () => Promise.resolve(),
    };
  }
  const questions = deps.questions ?? createQuestionVectors({ provider, clock, logger });
  const search = createDenseSearch({ dal, questions });
  const nudgeJobs = () => {
    jobs.nudge();
  };
  const stopping = new AbortController();
  const backfill = createBackfill<ConversationPlace>({
    jobs: dal.jobs,
    kind: EMBED_TURNS,
    outdated: (after, limit) => dal.vectors.outdated({ model: provider.model, after, limit }),
    jobOf: ({ conversationId }, now) => embedJob(conversationId, now),
    what: 'older conversations are being embedded',
    clock,
    nudgeJobs,
    logger,
  });
  jobs.register(EMBED_TURNS, embedTurns({ dal, provider, clock, stopping: stopping.signal }));
  return {
    search,
    status: () => questions.status(),
    jobsOf: (conversationId, now) => [embedJob(conversationId, now)],
    start: () => {
      provider.prepare();
      backfill.start();
    },
    stop: () => {
      stopping.abort();
      return backfill.stop();
    },
    close: () => provider.close(),
  };
}
