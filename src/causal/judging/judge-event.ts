import { JobError } from '../../jobs/job-error.ts';
import type { JobHandler } from '../../jobs/job-runner.ts';
import type { CausalStore } from '../../store/causal-store.ts';
import type { Clock } from '../../base/clock.ts';
import { EmbeddingError } from '../../models/embeddings/embedding-provider.ts';
import type { EmbedPortion } from '../meaning/embed-events.ts';
import type { MeaningSearch } from '../meaning/meaning-search.ts';
import { findCandidates } from './candidates.ts';
import { linksOf, type Judge } from './judge.ts';

export interface JudgeDeps {
  store: CausalStore;
  judge: Judge;
  meaning?: { search: MeaningSearch; portion: EmbedPortion };
  clock: Clock;
  /** Told of sessions whose links have changed. */
  changed: (sessionId: string) => void;
}

/**
 * Judges one event: finds the candidates, asks the judge once, stores what it found. An event without candidates costs
 * no call. Without a usable answer the event stays "not judged yet", and the job is set aside as failed.
 */
export function judgeEvent({ store, judge, meaning, clock, changed }: JudgeDeps): JobHandler {
  return async ({ sessionId, payload }, { signal }) => {
    const event = await store.getEvent(sessionId, String(payload['event_id']));
    if (!event || event.judged) return;
    if (meaning) await embedded(meaning.portion, sessionId, signal);
    const found = await findCandidates(store, event, { meaning: meaning?.search ?? null });
    const candidates = found.map((candidate) => candidate.event);
    const judgements = candidates.length === 0 ? [] : await judge.judge(event, candidates, signal);
    if (judgements === null) {
      throw new JobError('the judge gave no answer that could be used', { retryAt: null });
    }
    await store.settle({
      sessionId,
      eventIds: [event.eventId],
      links: linksOf(event, judgements, judge.judgedBy),
      now: clock.now(),
    });
    changed(sessionId);
  };
}

/** What happened just now is to be found by meaning too. A model that does not answer costs only this source. */
async function embedded(portion: EmbedPortion, sessionId: string, signal: AbortSignal): Promise<void> {
  try {
    await portion(sessionId, signal);
  } catch (error) {
    if (signal.aborted || !(error instanceof EmbeddingError)) throw error;
  }
}
