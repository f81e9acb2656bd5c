import type { Clock } from '../../base/clock.ts';
import { JobError } from '../../jobs/job-error.ts';
import type { JobHandler } from '../../jobs/job-runner.ts';
import { embedEach } from '../../models/embeddings/embed-each.ts';
import { EmbeddingError, type EmbeddingProvider } from '../../models/embeddings/embedding-provider.ts';
import type { MemoryDAL } from '../../store/memory-dal.ts';

/** Turns in one call of the model and one write to the record: what a kill costs at most. */
const TURNS_AT_ONCE = 32;
/** Conversations embedded at the same time: the runner has four places, and others need some. */
const AT_THE_SAME_TIME = 2;
/** When a conversation that found no place comes again, in milliseconds. */
const NO_PLACE_MS = 500;
/** When one comes again whose model is not there, in milliseconds. It is no fault of the job: that counts as no attempt. */
const NO_MODEL_MS = 30_000;

/** Embeds conversations, portion by portion; how far each is stands in the record with its vectors. */
export function embedTurns(deps: {
  dal: Pick<MemoryDAL, 'vectors'>;
  provider: EmbeddingProvider;
  clock: Clock;
  /** Aborts when the server stops: what is left of a conversation is done after the next start. */
  stopping: AbortSignal;
}): JobHandler {
  const { dal, provider, clock, stopping } = deps;
  const { model } = provider;
  let running = 0;

  const embedAll = async (sessionId: string, conversationId: string, signal: AbortSignal): Promise<void> => {
    for (;;) {
      signal.throwIfAborted();
      if (stopping.aborted) throw new JobError('the server stops', { retryAt: clock.now() });
      const turns = await dal.vectors.pending({ sessionId, conversationId, model, limit: TURNS_AT_ONCE });
      const last = turns.at(-1);
      if (!last) return;
      const vectors = await embedEach(
        provider,
        turns.map(({ content }) => content),
        signal,
      );
      const there = await dal.vectors.write({
        sessionId,
        conversationId,
        model,
        throughTurn: last.turnNumber,
        vectors: turns.map(({ turnNumber }, at) => ({
          turnNumber,
          vector: vectors[at] ?? new Float32Array(),
        })),
      });
      // Erased meanwhile.
      if (!there) return;
    }
  };

  return async ({ sessionId, payload }, { signal }) => {
    if (running >= AT_THE_SAME_TIME) {
      throw new JobError('others are being embedded', { retryAt: clock.now() + NO_PLACE_MS });
    }
    running += 1;
    try {
      await embedAll(sessionId, String(payload['conversation_id']), signal);
    } catch (error) {
      if (signal.aborted || !(error instanceof EmbeddingError)) throw error;
      throw new JobError(error.message, { retryAt: clock.now() + NO_MODEL_MS, cause: error });
    } finally {
      running -= 1;
    }
  };
}
