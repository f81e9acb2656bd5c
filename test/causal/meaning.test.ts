import { describe, expect, it, onTestFinished } from 'vitest';
import { embedPortions } from '../../src/causal/meaning/embed-events.ts';
import { createMeaningSearch } from '../../src/causal/meaning/meaning-search.ts';
import { judgeEvent } from '../../src/causal/judging/judge-event.ts';
import { CausalProjection } from '../../src/causal/projection/projection.ts';
import type { JobRecord } from '../../src/store/records.ts';
import { findCandidates } from '../../src/causal/judging/candidates.ts';
import { EmbeddingError, type EmbeddingProvider } from '../../src/models/embeddings/embedding-provider.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { systemClock } from '../../src/base/clock.ts';
import { createQuestionVectors } from '../../src/models/embeddings/question-vectors.ts';
import { startMeaning, tinyModel } from './meaning-support.ts';
import { link, newSession, NOON, openMemory } from './support.ts';

const told = (text: string, minute: number, actor = 'Ana') => ({
  text,
  actor,
  happenedAt: NOON + minute * 60_000,
});
const ask = { maxTokens: 500 };

describe('an event with another one that shares no word with it', () => {
  it('is among the candidates for its cause, however much happened in between', async () => {
    const server = await startMeaning(tinyModel());
    const sessionId = await newSession(server.dal);
    const [left] = await server.causal.addEvents(sessionId, [told('left the automobile running', 0)]);
    await server.causal.addEvents(
      sessionId,
      Array.from({ length: 30 }, (_, at) => told(`baked loaf ${String(at)}`, at + 1)),
    );
    const [stolen] = await server.causal.addEvents(sessionId, [told('her vehicle was stolen', 60)]);
    await server.embedded();
    const { store, meaning } = { store: server.dal.causal, meaning: server.causal.meaning };
    const byWords = await findCandidates(store, stolen!);
    expect(byWords.map(({ event }) => event.eventId)).not.toContain(left!.eventId);
    const found = await findCandidates(store, stolen!, { meaning });
    expect(found.length).toBeLessThanOrEqual(8);
    expect(found.find(({ event }) => event.eventId === left!.eventId)?.sources).toEqual(['meaning']);
  });

  it('is never looked for among what happened later', async () => {
    const server = await startMeaning(tinyModel());
    const sessionId = await newSession(server.dal);
    const [first, later] = await server.causal.addEvents(sessionId, [
      told('bought a kitten', 0),
      told('the feline ran away', 1),
    ]);
    await server.embedded();
    const near = (event: typeof first) => server.causal.meaning!.toEvent(event!, 5);
    expect((await near(first)).map(({ eventNo }) => eventNo)).toEqual([]);
    expect((await near(later)).map(({ eventNo }) => eventNo)).toEqual([first!.eventNo]);
  });
});

describe('a question that shares no word with what happened', () => {
  it('is answered with the chain that it means, over the API and in a prompt that asks why', async () => {
    const server = await startMeaning(tinyModel());
    const sessionId = await newSession(server.dal);
    const [rain, wreck] = await server.causal.addEvents(sessionId, [
      told('it rained all night', 0),
      told('the automobile slid into the ditch', 1),
      told('the kitten was fed', 2),
    ]);
    await server.causal.addLinks(sessionId, [link(rain, wreck)]);
    await server.embedded();
    const query = 'vehicle?';
    const { events, chains, scores } = await server.causal.narrative({ sessionId, query, ...ask });
    expect(chains[0]?.eventIds).toEqual([rain!.eventId, wreck!.eventId]);
    expect(events.map(({ text }) => text)).not.toContain('the kitten was fed');
    expect(scores[wreck!.eventId]).toBeGreaterThan(0.9);
    const why = { sessionId, query: 'Why is my car gone?', onlyWhenTelling: true, ...ask };
    expect((await server.causal.narrative(why)).text).toContain('the automobile slid into the ditch');
    const { nodes } = await server.causal.timeline({ sessionId, query, limit: 5 });
    expect(nodes.map(({ eventId }) => eventId)).toEqual([wreck!.eventId]);
  });

  it('is answered with nothing when it means nothing that happened', async () => {
    const server = await startMeaning(tinyModel());
    const sessionId = await newSession(server.dal);
    const [rain, wreck] = await server.causal.addEvents(sessionId, [
      told('it rained all night', 0),
      told('the automobile slid into the ditch', 1),
    ]);
    await server.causal.addLinks(sessionId, [link(rain, wreck)]);
    await server.embedded();
    const { text, events } = await server.causal.narrative({ sessionId, query: 'baguette', ...ask });
    expect([text, events]).toEqual(['', []]);
  });

  it('has what it names by its words before what it only means', async () => {
    const server = await startMeaning(tinyModel());
    const sessionId = await newSession(server.dal);
    const [blue, red] = await server.causal.addEvents(sessionId, [
      told('the vehicle was painted blue', 0),
      told('the automobile was painted red', 1),
    ]);
    await server.embedded();
    const { chains } = await server.causal.narrative({ sessionId, query: 'red automobile', ...ask });
    expect(chains.map(({ eventIds }) => eventIds[0])).toEqual([red!.eventId, blue!.eventId]);
  });
});

describe('judging', () => {
  it('embeds what is new first, so that what happened a moment ago is found by its meaning', async () => {
    const provider = tinyModel();
    // Nobody does the jobs of this record: judging alone has to see to the vectors.
    const { dal, causal } = await openMemory();
    const sessionId = await newSession(dal);
    const questions = createQuestionVectors({ provider, clock: systemClock, logger: silentLogger });
    const projection = new CausalProjection({
      store: dal.causal,
      vectors: dal.causalVectors,
      file: null,
      logger: silentLogger,
    });
    onTestFinished(() => projection.close());
    const [left, ...rest] = await causal.addEvents(sessionId, [
      told('left the automobile running', 0),
      ...Array.from({ length: 20 }, (_, at) => told(`baked loaf ${String(at)}`, at + 1)),
      told('her vehicle was stolen', 60),
    ]);
    const asked: string[][] = [];
    const handler = judgeEvent({
      store: dal.causal,
      judge: {
        judgedBy: 'model',
        judge: (_event, candidates) => {
          asked.push(candidates.map(({ eventId }) => eventId));
          return Promise.resolve([]);
        },
      },
      meaning: {
        search: createMeaningSearch({ questions, vectors: dal.causalVectors, projection }),
        portion: embedPortions({ vectors: dal.causalVectors, provider, changed: () => undefined }),
      },
      clock: systemClock,
      changed: () => undefined,
    });
    const job = { sessionId, payload: { event_id: rest.at(-1)!.eventId } } as unknown as JobRecord;
    await handler(job, { signal: new AbortController().signal, attempt: 1, isLastAttempt: false });
    expect(asked).toHaveLength(1);
    expect(asked[0]).toContain(left!.eventId);
  });
});

describe('a model that does not answer', () => {
  it('costs a question nothing but its meaning', async () => {
    const failing: EmbeddingProvider = {
      model: 'down',
      state: () => ({ state: 'ready', reason: null }),
      prepare: () => undefined,
      embed: () => Promise.reject(new EmbeddingError('The model is down.')),
      close: () => Promise.resolve(),
    };
    const server = await startMeaning(failing);
    const sessionId = await newSession(server.dal);
    const [rain, wreck] = await server.causal.addEvents(sessionId, [
      told('it rained all night', 0),
      told('the automobile slid into the ditch', 1),
    ]);
    await server.causal.addLinks(sessionId, [link(rain, wreck)]);
    const { chains } = await server.causal.narrative({ sessionId, query: 'automobile', ...ask });
    expect(chains[0]?.eventIds).toEqual([rain!.eventId, wreck!.eventId]);
  });
});
