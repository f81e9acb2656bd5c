import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createCausalMemory, type CausalMemory } from '../../src/causal/create-causal-memory.ts';
import { toUnitLength } from '../../src/models/embeddings/unit-length.ts';
import type { QuestionVectors } from '../../src/models/embeddings/question-vectors.ts';
import type { MemoryDAL } from '../../src/store/memory-dal.ts';
import { newSession, NOON, openMemory } from './support.ts';

const WORDS = ['rope', 'crate', 'pump', 'filter', 'alarm', 'roof', 'rain', 'mould'];
const MODEL = 'words';

/** One direction for each word: as good a model as these texts need. */
const vectorOf = (text: string) =>
  toUnitLength(Float32Array.from(WORDS, (word) => text.split(' ').filter((each) => each === word).length));

const questions: QuestionVectors = {
  model: MODEL,
  within: async (question, work) => work(vectorOf(question), new AbortController().signal),
  status: () => ({ model: MODEL, state: 'ready', reason: null }),
};

const story = fc.array(
  fc.array(fc.constantFrom(...WORDS), { minLength: 1, maxLength: 3 }).map((words) => words.join(' ')),
  { minLength: 1, maxLength: 24 },
);

async function open() {
  const { dal } = await openMemory({ inFile: false });
  const causal = createCausalMemory({
    store: dal.causal,
    projectionFile: null,
    meaning: { questions, vectors: dal.causalVectors, comparedWithinMs: 30_000 },
  });
  return { dal, causal };
}

/** Tells a story and gives each event its vector, some events only after others were told. */
async function tell(dal: MemoryDAL, causal: CausalMemory, texts: string[]) {
  const sessionId = await newSession(dal);
  const events = await causal.addEvents(
    sessionId,
    texts.map((text, at) => ({ text, happenedAt: NOON + at })),
  );
  for (;;) {
    const pending = await dal.causalVectors.pending({ sessionId, model: MODEL, limit: 5 });
    const last = pending.at(-1);
    if (!last) return { sessionId, events };
    const vectors = pending.map(({ text, ...event }) => ({ ...event, vector: vectorOf(text) }));
    await dal.causalVectors.write({ sessionId, model: MODEL, throughSeq: last.changeSeq, vectors });
  }
}

describe('two sessions with the same texts', () => {
  it('never cross in meaning: neither in what is found, nor in what is usual', async () => {
    const { dal, causal } = await open();
    await fc.assert(
      fc.asyncProperty(story, story, async (given, other) => {
        const alone = await open();
        const control = await tell(alone.dal, alone.causal, given);
        await tell(dal, causal, [...given, ...other]);
        const built = await tell(dal, causal, given);
        await tell(dal, causal, other);
        for (const word of WORDS.slice(0, 3)) {
          // To the last digit: what is usual was counted in the session alone.
          expect(await causal.meaning!.toQuestion(built.sessionId, word, 30)).toEqual(
            await alone.causal.meaning!.toQuestion(control.sessionId, word, 30),
          );
        }
        for (const [at, event] of built.events.entries()) {
          const near = await causal.meaning!.toEvent(event, 30);
          expect(near).toEqual(await alone.causal.meaning!.toEvent(control.events[at]!, 30));
          expect(near.every(({ eventNo }) => eventNo < event.eventNo)).toBe(true);
        }
        await alone.causal.close();
        await alone.dal.close();
      }),
      { numRuns: 10 },
    );
    await causal.close();
  });
});
