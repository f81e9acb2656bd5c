import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../src/base/ids.ts';
import type { NewFact } from '../../src/store/fact-store.ts';
import type { MemoryDAL } from '../../src/store/memory-dal.ts';
import { IMPLEMENTATIONS, newConversation, newJob, newSession, newTurn, NOON } from './implementations.ts';

const DAY = 86_400_000;

/** That somebody lives somewhere, `day` days after noon. */
function lives(where: string, day: number, fields: Partial<NewFact> = {}): NewFact {
  return {
    factId: newId('fact'),
    subject: 'the person',
    attribute: 'home',
    value: where,
    text: `The person lives in ${where}.`,
    subjectKey: 'person',
    attributeKey: 'home',
    valueKey: where.toLowerCase(),
    terms: newTurn(`lives ${where}`).terms,
    exclusive: true,
    validFrom: NOON + day * DAY,
    conversationId: null,
    sourceTurnId: null,
    author: 'model',
    pinned: false,
    ...fields,
  };
}

describe.each(IMPLEMENTATIONS)('facts: $name', ({ prepare }) => {
  const record = prepare();
  let dal: MemoryDAL;
  beforeAll(async () => {
    dal = await record.open();
  });
  afterAll(() => record.remove());

  const add = (sessionId: string, ...facts: NewFact[]) =>
    dal.facts.add({ sessionId, facts, endings: [], jobs: [], now: NOON });
  const line = async (sessionId: string) =>
    (await dal.facts.list({ sessionId, current: false, limit: 100, cursor: null })).items
      .sort((a, b) => a.validFrom - b.validFrom || a.factNo - b.factNo)
      .map(({ value, validUntil }) => [value, validUntil === null ? null : (validUntil - NOON) / DAY]);

  it('a contradicting newer fact closes the older one, and nothing is deleted', async () => {
    const sessionId = await newSession(dal);
    const [paris] = await add(sessionId, lives('Paris', 0));
    const [lyon] = await add(sessionId, lives('Lyon', 10));
    expect(await line(sessionId)).toEqual([
      ['Paris', 10],
      ['Lyon', null],
    ]);
    expect(await dal.facts.get(sessionId, paris!.factId)).toMatchObject({ supersededBy: lyon!.factId });
    const current = await dal.facts.list({ sessionId, current: true, limit: 10, cursor: null });
    expect(current.items.map(({ value }) => value)).toEqual(['Lyon']);
  });

  it('the order in which facts arrive makes no difference', async () => {
    const facts = [lives('Paris', 0), lives('Lyon', 10), lives('Nice', 20), lives('Lyon', 30)];
    const orders = [
      [0, 1, 2, 3],
      [3, 2, 1, 0],
      [2, 0, 3, 1],
    ];
    for (const order of orders) {
      const sessionId = await newSession(dal);
      for (const at of order) await add(sessionId, { ...facts[at]!, factId: newId('fact') });
      expect(await line(sessionId)).toEqual([
        ['Paris', 10],
        ['Lyon', 20],
        ['Nice', 30],
        ['Lyon', null],
      ]);
    }
  });

  it('what is known already is not added again, and what is not exclusive stands beside the rest', async () => {
    const sessionId = await newSession(dal);
    await add(sessionId, lives('Paris', 0));
    expect(await add(sessionId, lives('Paris', 5))).toEqual([]);
    const likes = (value: string) =>
      lives(value, 1, { attribute: 'likes', attributeKey: 'likes', exclusive: false });
    await add(sessionId, likes('tea'), likes('jazz'));
    expect(await line(sessionId)).toEqual([
      ['Paris', null],
      ['tea', null],
      ['jazz', null],
    ]);
  });

  it('what is so no more ends, and the same may begin anew', async () => {
    const sessionId = await newSession(dal);
    await add(sessionId, lives('Paris', 0));
    await dal.facts.add({
      sessionId,
      facts: [],
      endings: [{ subjectKey: 'person', attributeKey: 'home', valueKey: 'paris', at: NOON + 3 * DAY }],
      jobs: [],
      now: NOON,
    });
    await add(sessionId, lives('Paris', 9));
    expect(await line(sessionId)).toEqual([
      ['Paris', 3],
      ['Paris', null],
    ]);
  });

  it('a pin goes over to the fact that takes the place', async () => {
    const sessionId = await newSession(dal);
    await add(sessionId, lives('Paris', 0, { pinned: true }));
    await add(sessionId, lives('Lyon', 1));
    const pinned = await dal.facts.pinned(sessionId, 10);
    expect(pinned.map(({ value }) => value)).toEqual(['Lyon']);
  });

  it('a correction keeps what was said before, and settles what holds', async () => {
    const sessionId = await newSession(dal);
    await add(sessionId, lives('Paris', 0), lives('Lyon', 10));
    const [lyon] = (await dal.facts.list({ sessionId, current: true, limit: 1, cursor: null })).items;
    const words = lives('Limoges', 10);
    const corrected = await dal.facts.correct({
      sessionId,
      factId: lyon!.factId,
      expectedVersion: 1,
      changes: { words, validFrom: NOON + 5 * DAY },
      now: NOON + 1,
    });
    expect(corrected).toMatchObject({ value: 'Limoges', version: 2, author: 'person' });
    expect(await line(sessionId)).toEqual([
      ['Paris', 5],
      ['Limoges', null],
    ]);
    expect(await dal.facts.versions(sessionId, lyon!.factId)).toMatchObject([
      { version: 1, value: 'Lyon', author: 'model', until: NOON + 1 },
    ]);
    const stale = dal.facts.correct({
      sessionId,
      factId: lyon!.factId,
      expectedVersion: 1,
      changes: { pinned: true },
      now: NOON,
    });
    await expect(stale).rejects.toMatchObject({ code: 'version_conflict' });
    const backwards = dal.facts.correct({
      sessionId,
      factId: lyon!.factId,
      changes: { endedAt: NOON },
      now: NOON,
    });
    await expect(backwards).rejects.toMatchObject({ param: 'valid_until' });
  });

  it('what is forgotten is gone, and what it had closed stays closed', async () => {
    const sessionId = await newSession(dal);
    await add(sessionId, lives('Paris', 0));
    const [lyon] = await add(sessionId, lives('Lyon', 10));
    expect(await dal.facts.forget(sessionId, lyon!.factId)).toBe(true);
    expect(await dal.facts.forget(sessionId, lyon!.factId)).toBe(false);
    expect(await line(sessionId)).toEqual([['Paris', 10]]);
    expect(await dal.facts.search({ sessionId, terms: ['lyon'], limit: 5 })).toEqual([]);
  });

  it('with one that was superseded comes the one that holds now', async () => {
    const sessionId = await newSession(dal);
    await add(sessionId, lives('Paris', 0), lives('Lyon', 10), lives('Nice', 20));
    const found = await dal.facts.search({ sessionId, terms: ['paris'], limit: 5 });
    expect(found.map(({ fact }) => fact.value)).toEqual(['Nice', 'Paris']);
    expect(found[0]?.ofQuestion).toBe(1);
  });

  it('turns are read once, even by two at the same time', async () => {
    const sessionId = await newSession(dal);
    const conversationId = await newConversation(dal, sessionId, [newTurn('I live in Paris.')]);
    const read = (fact: NewFact) =>
      dal.facts.add({
        sessionId,
        facts: [fact],
        endings: [],
        progress: { conversationId, from: 0, through: 1 },
        jobs: [newJob()],
        now: NOON,
      });
    const results = await Promise.all([read(lives('Paris', 0)), read(lives('Parys', 0))]);
    expect(results.map((facts) => facts.length)).toEqual([1, 0]);
    expect(await dal.facts.progress(sessionId, conversationId)).toBe(1);
  });

  it('many at once lose nothing', async () => {
    const sessionId = await newSession(dal);
    const cities = Array.from({ length: 40 }, (_, i) => `City${String(i)}`);
    await Promise.all(cities.map((city, i) => add(sessionId, lives(city, i))));
    const all = await line(sessionId);
    expect(all).toEqual(cities.map((city, i) => [city, i === 39 ? null : i + 1]));
  });

  it('a session knows nothing of another one', async () => {
    const [mine, other] = [await newSession(dal), await newSession(dal)];
    const [fact] = await add(mine, lives('Paris', 0));
    expect(await dal.facts.get(other, fact!.factId)).toBeNull();
    expect(await dal.facts.search({ sessionId: other, terms: ['paris'], limit: 5 })).toEqual([]);
    expect(await dal.facts.forget(other, fact!.factId)).toBe(false);
    expect(await dal.sessions.erase(mine)).toBe(true);
    expect(await dal.facts.get(mine, fact!.factId)).toBeNull();
    expect(await dal.maintenance.check()).toEqual([]);
  });
});
