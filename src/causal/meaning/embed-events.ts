import type { Clock } from '../../base/clock.ts';
import { JobError } from '../../jobs/job-error.ts';
import type { JobHandler } from '../../jobs/job-runner.ts';
import { embedEach } from '../../models/embeddings/embed-each.ts';
import { EmbeddingError, type EmbeddingProvider } from '../../models/embeddings/embedding-provider.ts';
import type { CausalVectorStore } from '../../store/causal-vector-store.ts';
import type { NewJob } from '../../store/records.ts';

export const EMBED_EVENTS = 'embed_events';

/** Events in one call of the model and one write to the record: what a kill costs at most. */
const EVENTS_AT_ONCE = 32;
/** Sessions embedded at the same time: the runner has four places, and others need some. */
const AT_THE_SAME_TIME = 2;
/** Portions of one session before others have their turn. */
const PORTIONS_AT_ONCE = 8;
/** When a session comes again whose model is not there, in milliseconds. It is no fault of the job: that counts as no attempt. */
const NO_MODEL_MS = 30_000;
/** When one comes again that found no place, or gave it up, in milliseconds. */
const NO_PLACE_MS = 500;

/** Embeds the events of a session that the model has not embedded yet. Waiting twins are one. */
export function embedEventsJob(now: number): NewJob {
  return { kind: EMBED_EVENTS, dedupeKey: 'events', payload: {}, runAt: now };
}

/**
 * Embeds a session's next events; how far it is stands in the record with the vectors. True: there may be more.
 * @throws {EmbeddingError}
 */
export type EmbedPortion = (sessionId: string, signal: AbortSignal) => Promise<boolean>;

/** One portion of a session at a time: whoever comes second finds it done. */
export function embedPortions(deps: {
  vectors: CausalVectorStore;
  provider: EmbeddingProvider;
  /** Told of sessions that have new vectors. */
  changed: (sessionId: string) => void;
}): EmbedPortion {
  const { vectors, provider, changed } = deps;
  const { model } = provider;
  const running = new Map<string, Promise<unknown>>();

  const portion: EmbedPortion = async (sessionId, signal) => {
    const events = await vectors.pending({ sessionId, model, limit: EVENTS_AT_ONCE });
    const last = events.at(-1);
    if (!last) return false;
    const made = await embedEach(
      provider,
      events.map(({ text }) => text),
      signal,
    );
    const there = await vectors.write({
      sessionId,
      model,
      throughSeq: last.changeSeq,
      vectors: events.map(({ eventNo, changeSeq }, at) => ({
        eventNo,
        changeSeq,
        vector: made[at] ?? new Float32Array(),
      })),
    });
    if (there) changed(sessionId);
    // Erased meanwhile, or all done.
    return there && events.length === EVENTS_AT_ONCE;
  };

  return async (sessionId, signal) => {
    const before = running.get(sessionId);
    const mine = (before ?? Promise.resolve()).catch(() => undefined).then(() => portion(sessionId, signal));
    running.set(sessionId, mine);
    try {
      return await mine;
    } finally {
      if (running.get(sessionId) === mine) running.delete(sessionId);
    }
  };
}

/** The job: portion by portion, a few sessions at a time, and not all of a large one while others wait. */
export function embedEvents(deps: {
  portion: EmbedPortion;
  clock: Clock;
  /** Aborts when the server stops: what is left is done after the next start. */
  stopping: AbortSignal;
}): JobHandler {
  const { portion, clock, stopping } = deps;
  let running = 0;
  return async ({ sessionId }, { signal }) => {
    if (running >= AT_THE_SAME_TIME) {
      throw new JobError('others are being embedded', { retryAt: clock.now() + NO_PLACE_MS });
    }
    running += 1;
    try {
      for (let done = 0; done < PORTIONS_AT_ONCE; done += 1) {
        signal.throwIfAborted();
        if (stopping.aborted) throw new JobError('the server stops', { retryAt: clock.now() });
        if (!(await portion(sessionId, signal))) return;
      }
      throw new JobError('other sessions have their turn', { retryAt: clock.now() + NO_PLACE_MS });
    } catch (error) {
      if (signal.aborted || !(error instanceof EmbeddingError)) throw error;
      throw new JobError(error.message, { retryAt: clock.now() + NO_MODEL_MS, forAll: true, cause: error });
    } finally {
      running -= 1;
    }
  };
}
