import { setTimeout as wait } from 'node:timers/promises';
import type { QuestionVectors } from '../../models/embeddings/question-vectors.ts';
import { likenessAbove, usualCosine } from '../../models/embeddings/usual-cosine.ts';
import type { CausalEventRecord } from '../../store/causal-store.ts';
import type { CausalVectorStore } from '../../store/causal-vector-store.ts';
import type { CausalProjection } from '../projection/projection.ts';
import { nearestEvents, type Nearest } from '../projection/nearest-events.ts';

/** Longest that a question waits for the comparison, in milliseconds, after its vector is there. */
const COMPARED_WITHIN_MS = 250;

/** An event that is alike in meaning. */
export interface LikeEvent {
  eventNo: number;
  /** 0, what is usual in the session, to 1, the same direction. */
  likeness: number;
}

/** Finds events by an embedding model. */
export interface MeaningSearch {
  /** The events most like a question, the most alike first; none when that is not known in time. */
  toQuestion(sessionId: string, question: string, limit: number): Promise<LikeEvent[]>;
  /** The events before an event that are most like it; none as long as the event has no vector. */
  toEvent(event: CausalEventRecord, limit: number): Promise<LikeEvent[]>;
}

export interface MeaningSources {
  questions: QuestionVectors;
  vectors: Pick<CausalVectorStore, 'any' | 'changesSince'>;
  /** How long a question waits for the comparison, in milliseconds, where it is not the usual time. */
  comparedWithinMs?: number;
}

export function createMeaningSearch(deps: MeaningSources & { projection: CausalProjection }): MeaningSearch {
  const { questions, vectors, projection, comparedWithinMs = COMPARED_WITHIN_MS } = deps;
  const { model } = questions;
  return {
    async toQuestion(sessionId, question, limit) {
      // A session without vectors asks no model and opens no projection.
      if (!(await vectors.any(sessionId, model))) return [];
      const vector = await questions.within(question, (made) => made);
      // Null: not in time. Zeros: the model sees nothing in it that anything could be like.
      if (!vector?.some((value) => value !== 0)) return [];
      const compared = projection.askMeaning(sessionId, (duck, key) =>
        nearestEvents(duck, key, { compared: { vector }, model, before: null, limit }),
      );
      // A projection that is just being made again answers later: this question goes by its words.
      const late = new AbortController();
      try {
        const found = await Promise.race([
          compared,
          wait(comparedWithinMs, null, { signal: late.signal, ref: false }).catch(() => null),
        ]);
        if (!found) compared.catch(() => undefined);
        return found ? likened(found) : [];
      } finally {
        late.abort();
      }
    },
    async toEvent(event, limit) {
      const { sessionId, eventNo, happenedAt } = event;
      if (!(await vectors.any(sessionId, model))) return [];
      return likened(
        await projection.askMeaning(sessionId, (duck, key) =>
          nearestEvents(duck, key, {
            compared: { eventNo },
            model,
            before: { happenedAt, eventNo },
            limit,
          }),
        ),
      );
    },
  };
}

function likened(found: Nearest): LikeEvent[] {
  const usual = usualCosine(found);
  return found.events
    .map(({ eventNo, cosine }) => ({ eventNo, likeness: likenessAbove(usual, cosine) }))
    .filter(({ likeness }) => likeness > 0);
}
