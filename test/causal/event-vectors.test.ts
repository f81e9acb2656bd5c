import { rmSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createCausalMemory, type CausalMemory } from '../../src/causal/create-causal-memory.ts';
import { embedEventsJob } from '../../src/causal/meaning/embed-events.ts';
import { createMemoryService } from '../../src/memory/create-memory-service.ts';
import { openDuck } from '../../src/causal/projection/duckdb.ts';
import { type EmbeddingProvider } from '../../src/models/embeddings/embedding-provider.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { systemClock } from '../../src/base/clock.ts';
import { createQuestionVectors } from '../../src/models/embeddings/question-vectors.ts';
import { analyse } from '../../src/text/analyse.ts';
import { startMeaning, tinyModel } from './meaning-support.ts';
import { newSession, NOON } from './support.ts';

const told = (text: string, minute: number, actor = 'Ana') => ({
  text,
  actor,
  happenedAt: NOON + minute * 60_000,
});

describe('the vectors of events', () => {
  it('are made again by another model, and the two are never compared', async () => {
    const first = await startMeaning(tinyModel('test/first'));
    const sessionId = await newSession(first.dal);
    await first.causal.addEvents(sessionId, [told('bought a kitten', 0), told('sold the automobile', 1)]);
    await first.embedded();
    expect(await first.causal.meaning!.toQuestion(sessionId, 'feline', 5)).toEqual([
      { eventNo: 1, likeness: expect.closeTo(1, 3) as number },
    ]);
    await first.stop();

    // To the second model other words are alike, and its vectors have another size.
    const meanings = [['x'], ['kitten', 'toaster']];
    const second = await startMeaning(tinyModel('test/second', meanings, 12), first.folder);
    await second.embedded();
    const near = (question: string) => second.causal.meaning!.toQuestion(sessionId, question, 5);
    expect((await near('toaster')).map(({ eventNo }) => eventNo)).toEqual([1]);
    expect(await near('feline')).toEqual([]);
    await second.stop();
    const duck = await openDuck(first.projectionFile);
    onTestFinished(() => {
      duck.close();
    });
    const count = async (size: number) =>
      (await duck.rows(`SELECT count(*) FROM vectors_${String(size)}`))[0];
    // The second model sees nothing in the other event.
    expect([await count(8), await count(12)]).toEqual([[0], [1]]);
  });

  it('of another model of the same size are not compared, though not made again yet', async () => {
    const first = await startMeaning(tinyModel('test/first'));
    const sessionId = await newSession(first.dal);
    await first.causal.addEvents(sessionId, [told('bought a kitten', 0), told('fed the feline', 1)]);
    await first.embedded();
    const { provider, meaningOf } = { provider: tinyModel('test/other'), meaningOf: first.dal.causalVectors };
    // The one that was made again is found; the other stands there with the first model's vector.
    const [vector] = await embedNow(provider, 'bought a kitten');
    await meaningOf.write({
      sessionId,
      model: provider.model,
      throughSeq: 1,
      vectors: [{ eventNo: 1, changeSeq: 1, vector: vector! }],
    });
    const questions = createQuestionVectors({
      provider,
      clock: systemClock,
      logger: silentLogger,
      deadlineMs: 5_000,
    });
    const other = createCausalMemory({
      store: first.dal.causal,
      projectionFile: null,
      meaning: { questions, vectors: first.dal.causalVectors, comparedWithinMs: 10_000 },
    });
    onTestFinished(() => other.close());
    const near = await other.meaning!.toQuestion(sessionId, 'feline', 5);
    expect(near.map(({ eventNo }) => eventNo)).toEqual([1]);
  });

  it('never cross sessions: twins of the same texts see their own', async () => {
    const server = await startMeaning(tinyModel());
    const [one, two] = [await newSession(server.dal), await newSession(server.dal)];
    await server.causal.addEvents(one, [told('bought a kitten', 0), told('fed it', 1)]);
    const [, late] = await server.causal.addEvents(two, [told('fed it', 0), told('the feline ran away', 1)]);
    await server.embedded();
    expect(await server.causal.meaning!.toQuestion(two, 'cat', 5)).toMatchObject([{ eventNo: 2 }]);
    expect(await server.causal.meaning!.toQuestion(one, 'cat', 5)).toMatchObject([{ eventNo: 1 }]);
    expect(await server.causal.meaning!.toEvent(late!, 5)).toEqual([]);
  });

  it('are the same in a projection that is made again from the record', async () => {
    const server = await startMeaning(tinyModel());
    const sessionId = await newSession(server.dal);
    const [kitten] = await server.causal.addEvents(sessionId, [
      told('bought a kitten', 0),
      told('sold the automobile', 1),
      told('the feline ran away', 2),
    ]);
    await server.embedded();
    await server.causal.removeEvent(sessionId, kitten!.eventId);
    const answer = () => server.causal.meaning!.toQuestion(sessionId, 'cat and car', 5);
    const before = await answer();
    expect(before.map(({ eventNo }) => eventNo).sort()).toEqual([2, 3]);
    await server.stop();
    rmSync(server.projectionFile);
    const again = await startMeaning(tinyModel(), server.folder);
    await expect
      .poll(() => again.causal.meaning!.toQuestion(sessionId, 'cat and car', 5), { timeout: 10_000 })
      .toEqual(before);
  });

  it('are missing where the model sees nothing in a text, which spoils nothing', async () => {
    const server = await startMeaning(tinyModel());
    const sessionId = await newSession(server.dal);
    const stored = await server.causal.addEvents(sessionId, [
      told('it rained', 0),
      ...Array.from({ length: 20 }, (_, at) => told(`baked loaf ${String(at)}`, at + 1)),
      told('the kitten ran away', 40),
      told('it snowed', 50),
    ]);
    await server.embedded();
    const { meaning } = server.causal;
    expect(await meaning!.toQuestion(sessionId, 'feline', 5)).toEqual([{ eventNo: 22, likeness: 1 }]);
    expect(await meaning!.toQuestion(sessionId, 'did it rain', 5)).toEqual([]);
    expect(await meaning!.toEvent(stored.at(-1)!, 5)).toEqual([]);
  });

  it('follow a correction: the new text is embedded, the old one is not found any more', async () => {
    const server = await startMeaning(tinyModel());
    const sessionId = await newSession(server.dal);
    const [event] = await server.causal.addEvents(sessionId, [told('bought a kitten', 0)]);
    await server.embedded();
    // At once, and not only when the new text has its vector.
    const { eventId } = event!;
    const change = { text: { text: 'bought a hat', terms: analyse('bought a hat') } };
    await server.dal.causal.changeEvent({ sessionId, eventId, change, now: NOON });
    expect(await server.causal.meaning!.toQuestion(sessionId, 'feline', 5)).toEqual([]);
    await server.causal.changeEvent(sessionId, eventId, { text: 'bought a loaf' });
    await server.embedded();
    expect(await server.causal.meaning!.toQuestion(sessionId, 'feline', 5)).toEqual([]);
    expect(await server.causal.meaning!.toQuestion(sessionId, 'bread', 5)).toHaveLength(1);
  });

  it('go with their session, out of the record and the projection', async () => {
    const server = await startMeaning(tinyModel());
    const sessionId = await newSession(server.dal);
    await server.causal.addEvents(sessionId, [told('bought a kitten', 0)]);
    await server.embedded();
    await server.causal.meaning!.toQuestion(sessionId, 'feline', 5);
    await server.dal.sessions.erase(sessionId);
    await server.causal.eraseSession(sessionId);
    const { model } = tinyModel();
    expect(await server.dal.causalVectors.any(sessionId, model)).toBe(false);
    await server.stop();
    const duck = await openDuck(server.projectionFile);
    expect(await duck.rows('SELECT count(*) FROM vectors_8')).toEqual([[0]]);
    duck.close();
  });

  it('leave nothing in the file of the projection, when a session is erased and when an event is removed', async () => {
    const server = await startMeaning(tinyModel());
    const { dal, projectionFile } = server;
    const [one, two] = [await newSession(dal), await newSession(dal)];
    const texts = Array.from({ length: 50 }, (_, at) => told(`kitten ${String(at)}`, at));
    await server.causal.addEvents(one, texts);
    const events = await server.causal.addEvents(two, texts);
    await server.embedded();
    // What DuckDB keeps of them, deleted or not, and what it keeps as free space with whatever was there.
    const kept = async () => {
      const duck = await openDuck(projectionFile);
      const [rows] = await duck.rows(
        `SELECT sum(count) FROM pragma_storage_info('vectors_8')
          WHERE column_name = 'event_no' AND segment_type = 'INTEGER'`,
      );
      const [free] = await duck.rows(
        `SELECT free_blocks FROM pragma_database_size() WHERE database_name = 'projection'`,
      );
      duck.close();
      return { rows: rows?.[0], free: free?.[0] };
    };
    const ask = (memory: CausalMemory) => memory.meaning!.toQuestion(two, 'cat', 50);
    await server.causal.meaning!.toQuestion(one, 'cat', 5);
    expect(await ask(server.causal)).toHaveLength(50);
    await server.stop();
    expect(await kept()).toMatchObject({ rows: 100 });

    const again = await startMeaning(tinyModel(), server.folder);
    await again.dal.sessions.erase(one);
    await again.causal.eraseSession(one);
    await again.stop();
    expect(await kept()).toEqual({ rows: 50, free: 0 });

    // One event alone goes at once from the answers, and from the file with the next start.
    const third = await startMeaning(tinyModel(), server.folder);
    await third.causal.removeEvent(two, events[20]!.eventId);
    await expect.poll(() => ask(third.causal), { timeout: 10_000 }).toHaveLength(49);
    await third.stop();
    expect(await kept()).toMatchObject({ rows: 50 });
    const last = await startMeaning(tinyModel(), server.folder);
    await expect.poll(() => ask(last.causal), { timeout: 10_000 }).toHaveLength(49);
    await last.stop();
    expect(await kept()).toEqual({ rows: 49, free: 0 });
  });

  it('are not kept by a projection that nobody asks for them: with embeddings off they leave its file', async () => {
    const on = await startMeaning(tinyModel());
    const sessionId = await newSession(on.dal);
    await on.causal.addEvents(sessionId, [told('bought a kitten', 0)]);
    await on.embedded();
    expect(await on.causal.meaning!.toQuestion(sessionId, 'feline', 5)).toHaveLength(1);
    await on.stop();
    const off = await startMeaning(null, on.folder);
    expect((await off.causal.graph({ sessionId, aroundEventId: null, limit: 5 })).nodes).toHaveLength(1);
    await off.stop();
    const duck = await openDuck(on.projectionFile);
    const tables = await duck.rows(
      `SELECT count(*) FROM information_schema.tables WHERE table_name = 'vectors_8'`,
    );
    duck.close();
    expect(tables).toEqual([[0]]);
    // The record still has them: turned on again, nothing is embedded anew.
    const again = await startMeaning(tinyModel(), on.folder);
    await expect
      .poll(() => again.causal.meaning!.toQuestion(sessionId, 'feline', 5), { timeout: 10_000 })
      .toHaveLength(1);
  });

  it('are not exported, and are made for a session that is brought in', async () => {
    const source = await startMeaning(tinyModel());
    const sessionId = await newSession(source.dal);
    await source.causal.addEvents(sessionId, [told('bought a kitten', 0)]);
    await source.embedded();
    const exported: string[] = [];
    for await (const line of createMemoryService({ dal: source.dal }).exportSession(sessionId))
      exported.push(line);
    expect(exported.join('\n')).not.toMatch(/vector/);

    const target = await startMeaning(tinyModel());
    const memory = createMemoryService({
      dal: target.dal,
      jobsOfImportedSession: (now) => [embedEventsJob(now)],
      nudgeJobs: target.nudgeJobs,
    });
    const lines = (async function* () {
      yield* exported;
    })();
    const { session } = await memory.importSession(lines);
    await target.embedded();
    expect(await target.causal.meaning!.toQuestion(session.sessionId, 'feline', 5)).toHaveLength(1);
  });

  it('of a small session do not wait for all of the large ones', async () => {
    const order: string[] = [];
    const provider: EmbeddingProvider = {
      model: 'scripted',
      state: () => ({ state: 'ready', reason: null }),
      prepare: () => undefined,
      embed: (texts) => {
        order.push(texts[0]?.split(' ')[0] ?? '');
        return Promise.resolve(texts.map(() => Float32Array.of(1, 0)));
      },
      close: () => Promise.resolve(),
    };
    const off = await startMeaning(null);
    const [one, two, small] = [
      await newSession(off.dal),
      await newSession(off.dal),
      await newSession(off.dal),
    ];
    const many = Array.from({ length: 400 }, (_, at) => told(`large ${String(at)}`, at));
    for (const large of [one, two]) await off.causal.addEvents(large, many);
    await off.causal.addEvents(small, [told('small', 0)]);
    // All wait when the server starts, the small one last.
    for (const [at, session] of [one, two, small].entries())
      await off.dal.jobs.enqueue(session, [embedEventsJob(NOON + at)], NOON);
    await off.stop();
    const on = await startMeaning(provider, off.folder);
    await on.embedded();
    expect(order).toHaveLength(2 * Math.ceil(400 / 32) + 1);
    expect(order.indexOf('small')).toBeLessThanOrEqual(16);
  });

  it('of what happened while embeddings were off are made when they are on', async () => {
    const off = await startMeaning(null);
    const sessionId = await newSession(off.dal);
    await off.causal.addEvents(sessionId, [told('bought a kitten', 0)]);
    expect(await off.dal.jobs.counts()).toEqual([]);
    expect(off.causal.meaning).toBeNull();
    await off.stop();
    const on = await startMeaning(tinyModel(), off.folder);
    await on.embedded();
    expect(await on.causal.meaning!.toQuestion(sessionId, 'feline', 5)).toHaveLength(1);
  });
});

function embedNow(provider: EmbeddingProvider, text: string): Promise<Float32Array[]> {
  return provider.embed([text], { signal: new AbortController().signal, urgent: true });
}
