import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { MemoryDAL } from '../../src/store/memory-dal.ts';
import { SessionVectors, VectorCache } from '../../src/store/rows/vector-cache.ts';
import { IMPLEMENTATIONS, newConversation, newSession, newTurn, type TestRecord } from './implementations.ts';

const model = 'm1';
const of = (...values: number[]) => Float32Array.from(values);

describe.each(IMPLEMENTATIONS)('vectors of turns: $name', ({ prepare }) => {
  let record: TestRecord;
  let dal: MemoryDAL;
  let sessionId: string;
  let conversationId: string;
  beforeEach(async () => {
    record = prepare();
    dal = await record.open();
    sessionId = await newSession(dal);
    conversationId = await newConversation(
      dal,
      sessionId,
      ['one', 'two', 'three'].map((text) => newTurn(text)),
    );
  });
  afterEach(() => record.remove());

  const write = (throughTurn: number, vectors: [number, Float32Array][], by = model, to = conversationId) =>
    dal.vectors.write({
      sessionId,
      conversationId: to,
      model: by,
      throughTurn,
      vectors: vectors.map(([turnNumber, vector]) => ({ turnNumber, vector })),
    });
  const pending = async (by = model, limit = 10) =>
    (await dal.vectors.pending({ sessionId, conversationId, model: by, limit })).map(
      ({ content }) => content,
    );
  const cosines = async (vector: Float32Array, by = model, session = sessionId) => {
    const found = await dal.vectors.compare({ sessionId: session, model: by, vector });
    return Object.fromEntries(
      [...(found?.cosines ?? [])].map((cosine, at) => [
        `${String(found?.conversations[at])}/${String(found?.turns[at])}`,
        Number(cosine.toFixed(3)),
      ]),
    );
  };

  it('says which turns wait, and goes on after those that are done', async () => {
    expect(await pending()).toEqual(['one', 'two', 'three']);
    expect(await pending(model, 2)).toEqual(['one', 'two']);
    expect(await write(2, [[1, of(1, 0)]])).toBe(true);
    expect(await pending()).toEqual(['three']);
  });

  it('compares exactly, inside the session only', async () => {
    const other = await newSession(dal);
    await write(3, [
      [1, of(1, 0, 0)],
      [2, of(0.6, 0.8, 0)],
      [3, of(-1, 0, 0)],
    ]);
    expect(await cosines(of(1, 0, 0))).toEqual({ '1/1': 1, '1/2': 0.6, '1/3': -1 });
    expect(await cosines(of(1, 0, 0), model, other)).toEqual({});
    expect(await cosines(of(1, 0, 0), model, 'no session')).toEqual({});
  });

  it('sees what was written since it was asked last', async () => {
    await write(1, [[1, of(1, 0)]]);
    expect(await cosines(of(1, 0))).toEqual({ '1/1': 1 });
    await write(2, [[2, of(0, 1)]]);
    expect(await cosines(of(1, 0))).toEqual({ '1/1': 1, '1/2': 0 });
  });

  it('never compares vectors of another model or another size, and puts new ones in their place', async () => {
    await write(3, [
      [1, of(1, 0)],
      [2, of(1, 0)],
      [3, of(1, 0)],
    ]);
    expect(await pending('m2')).toEqual(['one', 'two', 'three']);
    expect(await cosines(of(1, 0), 'm2')).toEqual({});
    await write(
      2,
      [
        [1, of(0, 1, 0)],
        [2, of()],
      ],
      'm2',
    );
    expect(await cosines(of(0, 1, 0), 'm2')).toEqual({ '1/1': 1 });
    // Replaced: what is not embedded anew yet is all that the old model still has.
    expect(await cosines(of(1, 0))).toEqual({ '1/3': 1 });
    expect(await cosines(of(1, 0), 'm2')).toEqual({});
  });

  it('names the conversations that a model has not embedded, in portions', async () => {
    const second = await newConversation(dal, sessionId, [newTurn('more')]);
    await newConversation(dal, sessionId);
    const all = await dal.vectors.outdated({ model, after: null, limit: 10 });
    expect(all.map((place) => place.conversationId).sort()).toEqual([conversationId, second].sort());
    const [first] = await dal.vectors.outdated({ model, after: null, limit: 1 });
    expect(await dal.vectors.outdated({ model, after: first ?? null, limit: 10 })).toEqual(all.slice(1));
    await write(3, [], model);
    await write(1, [], model, second);
    expect(await dal.vectors.outdated({ model, after: null, limit: 10 })).toEqual([]);
    expect(await dal.vectors.outdated({ model: 'm2', after: null, limit: 10 })).toHaveLength(2);
  });

  it('is rid of them with the session, and stores nothing for one that is gone', async () => {
    await write(1, [[1, of(1, 0)]]);
    await dal.sessions.erase(sessionId);
    expect(await cosines(of(1, 0))).toEqual({});
    expect(await write(2, [[2, of(1, 0)]])).toBe(false);
  });

  it('reads a long session in several calls, and then at once', async () => {
    const long = await newConversation(
      dal,
      sessionId,
      Array.from({ length: 4_500 }, () => newTurn('')),
    );
    await write(
      4_500,
      Array.from({ length: 4_500 }, (_, at) => [at + 1, of(1, 0)]),
      model,
      long,
    );
    const ask = () => dal.vectors.compare({ sessionId, model, vector: of(1, 0) });
    expect([await ask(), await ask()]).toEqual([null, null]);
    expect((await ask())?.cosines).toHaveLength(4_500);
    expect((await ask())?.cosines).toHaveLength(4_500);
  });
});

describe('vectors in memory', () => {
  const bytes = (...values: number[]) => new Uint8Array(of(...values).buffer);

  it('keeps its places in order when one is taken out and when it grows', () => {
    const vectors = new SessionVectors(2);
    for (let turn = 1; turn <= 1_000; turn += 1) vectors.put(1, turn, bytes(turn, 0));
    for (let turn = 1; turn <= 1_000; turn += 2) vectors.put(1, turn, null);
    vectors.put(1, 2, bytes(-2, 0));
    const { turns, cosines } = vectors.compare(of(1, 0));
    expect(turns).toHaveLength(500);
    turns.forEach((turn, at) => {
      expect(cosines[at]).toBe(turn === 2 ? -2 : turn);
    });
  });

  it('lets go of the sessions that were not asked for longest', () => {
    const cache = new VectorCache();
    const [first, second] = [cache.of(1, model, 2), cache.of(2, model, 2)];
    expect(cache.of(1, model, 2)).toBe(first);
    cache.trim(first.bytes);
    expect(cache.of(1, model, 2)).toBe(first);
    expect(cache.of(2, model, 2)).not.toBe(second);
  });
});
