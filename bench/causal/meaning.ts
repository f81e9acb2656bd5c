import type { CausalMemory } from '../../src/causal/create-causal-memory.ts';
import type { QuestionVectors } from '../../src/models/embeddings/question-vectors.ts';
import type { CausalEventRecord } from '../../src/store/causal-store.ts';
import type { MemoryDAL } from '../../src/store/memory-dal.ts';

/** As all-MiniLM-L6-v2 has it. */
const DIMENSION = 384;
const AT_ONCE = 250;
const MODEL = 'bench';

/** Directions at random: nothing is like anything, so whatever is saved by luck is not saved here. */
function anyVector(): Float32Array {
  const vector = Float32Array.from({ length: DIMENSION }, () => Math.random() - 0.5);
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}

/** Questions whose vectors cost nothing: what is measured is the comparison. */
export const anyQuestions: QuestionVectors = {
  model: MODEL,
  within: async (_question, work) => work(anyVector(), new AbortController().signal),
  status: () => ({ model: MODEL, state: 'ready', reason: null }),
};

/** Gives every event of a session a vector, as the background does, without a model. */
export async function giveVectors(dal: MemoryDAL, sessionId: string): Promise<void> {
  for (;;) {
    const events = await dal.causalVectors.pending({ sessionId, model: MODEL, limit: AT_ONCE });
    const last = events.at(-1);
    if (!last) return;
    const vectors = events.map(({ eventNo, changeSeq }) => ({ eventNo, changeSeq, vector: anyVector() }));
    await dal.causalVectors.write({ sessionId, model: MODEL, throughSeq: last.changeSeq, vectors });
  }
}

/** How long it takes until a projection has all vectors of a session, in seconds. */
export async function takenIn(memory: CausalMemory, sessionId: string): Promise<number> {
  const start = performance.now();
  // Not waited for by a question; a judge waits.
  await memory.meaning?.toEvent({ sessionId, eventNo: 1, happenedAt: Date.now() } as CausalEventRecord, 1);
  return (performance.now() - start) / 1000;
}
