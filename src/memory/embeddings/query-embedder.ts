import type { QuestionVectors } from '../../models/embeddings/question-vectors.ts';
import type { MemoryDAL } from '../../store/memory-dal.ts';
import type { Similarities } from '../../store/vector-store.ts';

export interface DenseSearch {
  /** How similar the turns of the session are to the query; null when that is not known in time. Never rejects. */
  similarities(sessionId: string, query: string): Promise<Similarities | null>;
}

/** Compares questions with turns, within the deadline of their vectors. */
export function createDenseSearch({
  dal,
  questions,
}: {
  dal: Pick<MemoryDAL, 'vectors'>;
  questions: QuestionVectors;
}): DenseSearch {
  const { model } = questions;
  return {
    similarities: (sessionId, query) =>
      questions.within(query, async (vector, signal) => {
        for (;;) {
          const found = await dal.vectors.compare({ sessionId, model, vector });
          if (found) return found;
          signal.throwIfAborted();
        }
      }),
  };
}
