import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import type { EmbeddingProvider } from './embedding-provider.ts';

/** Longest that a question waits for its vector and the comparison, in milliseconds: an upstream's usual answer. */
const DEADLINE_MS = 250;
/** After a failure, and after a late answer, no question waits for the model for this long, in milliseconds. */
const PAUSE_MS = 30_000;
const LATE_PAUSE_MS = 5_000;
/** Questions whose vectors are kept: one prompt asks the same more than once. */
const KEPT = 64;

/** Whether questions have a model, for those who run the server. */
export interface DenseStatus {
  model: string;
  /** `fallback`: questions are answered by words alone. */
  state: 'ready' | 'loading' | 'fallback';
  reason: string | null;
}

/** The vectors of questions, for those who cannot wait. */
export interface QuestionVectors {
  /** What the model is called: only vectors of the same name are compared with a question's. */
  readonly model: string;
  /**
   * Does something with the vector of a question, within a deadline; null when it is not done in time. Rejects never:
   * whatever goes wrong, the question is answered by its words.
   */
  within<T>(
    question: string,
    work: (vector: Float32Array, signal: AbortSignal) => T | Promise<T>,
  ): Promise<T | null>;
  status(): DenseStatus;
}

/**
 * Embeds questions while somebody waits. When the model is late or fails, questions are answered by words alone and
 * none waits again until a later question, which waits for nobody either, has shown that it is back.
 */
export function createQuestionVectors(deps: {
  provider: EmbeddingProvider;
  clock: Clock;
  logger: Logger;
  deadlineMs?: number;
}): QuestionVectors {
  const { provider, clock, logger, deadlineMs = DEADLINE_MS } = deps;
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

  const vectorOf = (question: string, signal: AbortSignal): Promise<Float32Array> => {
    const known = vectors.get(question);
    if (known) return known;
    const made = provider.embed([question], { signal, urgent: true }).then(([vector]) => {
      if (!vector) throw new Error('The model gave no vector.');
      return vector;
    });
    vectors.set(question, made);
    made.catch(() => vectors.delete(question));
    if (vectors.size > KEPT) vectors.delete(vectors.keys().next().value ?? '');
    return made;
  };

  /** Tries the model with nobody waiting. */
  const probe = (question: string) => {
    pausedUntil = clock.now() + PAUSE_MS;
    provider
      .embed([question], { signal: AbortSignal.timeout(PAUSE_MS), urgent: true })
      .then(recover, (error: unknown) => {
        fail(reasonOf(error));
      });
  };

  const isLoading = () => ['idle', 'loading'].includes(provider.state().state);

  return {
    model: provider.model,
    async within(question, work) {
      if (question.trim() === '' || clock.now() < pausedUntil) return null;
      if (failing !== null) {
        probe(question);
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
      const answer = async () => work(await vectorOf(question, late.signal), late.signal);
      try {
        return await Promise.race([answer(), rejectionOf(late.signal)]);
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
