import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import type { EmbeddingProvider } from '../../models/embeddings/embedding-provider.ts';
import type { MemoryDAL } from '../../store/memory-dal.ts';
import type { Similarities } from '../../store/vector-store.ts';

/** Longest that a question waits for its vector and the comparison, in milliseconds: an upstream's usual answer. */
const DEADLINE_MS = 250;
/** After a failure, and after a late answer, no question waits for the model for this long, in milliseconds. */
const PAUSE_MS = 30_000;
const LATE_PAUSE_MS = 5_000;
/** Questions whose vectors are kept: one prompt asks the same more than once. */
const KEPT = 64;

/** Whether retrieval has a model, for those who run the server. */
export interface DenseStatus {
  model: string;
  /** `fallback`: questions are answered by words alone. */
  state: 'ready' | 'loading' | 'fallback';
  reason: string | null;
}

export interface DenseSearch {
  /** How similar the turns of the session are to the query; null when that is not known in time. Never rejects. */
  similarities(sessionId: string, query: string): Promise<Similarities | null>;
  status(): DenseStatus;
}

/**
 * Compares questions with turns, within a deadline. When the model is late or fails, questions are answered by words
 * alone and none waits again until a later question, which waits for nobody either, has shown that it is back.
 */
export function createDenseSearch(deps: {
  dal: Pick<MemoryDAL, 'vectors'>;
  provider: EmbeddingProvider;
  clock: Clock;
  logger: Logger;
  deadlineMs?: number;
}): DenseSearch {
  const { dal, provider, clock, logger, deadlineMs = DEADLINE_MS } = deps;
  const vectors = new Map<string, Promise<Float32Array>>();
  let failing: string | null = null;
  let pausedUntil = 0;

  const fail = (reason: string, pauseMs = PAUSE_MS) => {
    pausedUntil = clock.now() + pauseMs;
    if (failing === null) {
      logger.warn({ model: provider.model, reason }, 'no embeddings: turns are found by their words alone');
    }
    failing = reason;
  };
  const recover = () => {
    if (failing !== null) logger.info({ model: provider.model }, 'embeddings are back');
    failing = null;
    pausedUntil = 0;
  };

  const vectorOf = (query: string, signal: AbortSignal): Promise<Float32Array> => {
    const known = vectors.get(query);
    if (known) return known;
    const made = provider.embed([query], { signal, urgent: true }).then(([vector]) => {
      if (!vector) throw new Error('The model gave no vector.');
      return vector;
    });
    vectors.set(query, made);
    made.catch(() => vectors.delete(query));
    if (vectors.size > KEPT) vectors.delete(vectors.keys().next().value ?? '');
    return made;
  };

  const compare = async (sessionId: string, query: string, signal: AbortSignal) => {
    const vector = await vectorOf(query, signal);
    for (;;) {
      const found = await dal.vectors.compare({ sessionId, model: provider.model, vector });
      if (found) return found;
      signal.throwIfAborted();
    }
  };

  /** Tries the model with nobody waiting. */
  const probe = (query: string) => {
    pausedUntil = clock.now() + PAUSE_MS;
    provider
      .embed([query], { signal: AbortSignal.timeout(PAUSE_MS), urgent: true })
      .then(recover, (error: unknown) => {
        fail(reasonOf(error));
      });
  };

  const isLoading = () => ['idle', 'loading'].includes(provider.state().state);

  return {
    async similarities(sessionId, query) {
      if (query.trim() === '' || clock.now() < pausedUntil) return null;
      if (failing !== null) {
        probe(query);
        return null;
      }
      if (isLoading()) {
        provider.prepare();
        return null;
      }
      const late = new AbortController();
      const timer = setTimeout(() => {
        late.abort(new Error(`no vector within ${String(deadlineMs)} ms`));
      }, deadlineMs);
      try {
        return await Promise.race([compare(sessionId, query, late.signal), rejectionOf(late.signal)]);
      } catch (error) {
        fail(reasonOf(error), late.signal.aborted ? LATE_PAUSE_MS : PAUSE_MS);
        return null;
      } finally {
        clearTimeout(timer);
      }
    },
    status: () => {
      const { state, reason } = provider.state();
      const fault = failing ?? (state === 'failing' ? (reason ?? 'failing') : null);
      return {
        model: provider.model,
        state: fault !== null ? 'fallback' : isLoading() ? 'loading' : 'ready',
        reason: fault,
      };
    },
  };
}

function rejectionOf(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => {
      reject(signal.reason as Error);
    });
  });
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
