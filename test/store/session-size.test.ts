import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newId } from '../../src/base/ids.ts';
import type { MemoryDAL } from '../../src/store/memory-dal.ts';
import { IMPLEMENTATIONS, newConversation, newSession, newTurn, NOON } from './implementations.ts';

const FULL = expect.objectContaining({ code: 'session_full', status: 413, param: 'session_id' }) as Error;

describe.each(IMPLEMENTATIONS)('the most turns of a session: $name', ({ prepare }) => {
  const record = prepare();
  let dal: MemoryDAL;
  let sessionId: string;
  let conversationId: string;
  beforeAll(async () => {
    dal = await record.open();
  });
  beforeEach(async () => {
    sessionId = await newSession(dal);
    conversationId = await newConversation(dal, sessionId, [newTurn('one')]);
  });
  afterAll(() => record.remove());

  const append = (contents: string[], maxTurns?: number, key?: string) =>
    dal.turns.append({
      sessionId,
      conversationId,
      turns: contents.map((content) => newTurn(content)),
      jobs: [],
      ...(key === undefined ? {} : { idempotency: { key, requestHash: 'the same' } }),
      ...(maxTurns === undefined ? {} : { maxTurns }),
      now: NOON,
    });
  const counts = async () => {
    const session = await dal.sessions.get(sessionId);
    const list = await dal.turns.list({ sessionId, conversationId, fromNumber: 1, limit: 99 });
    return { total: session?.totalTurns, conversations: session?.conversationCount, turns: list.length };
  };

  it('is held by what is appended, all of it or none', async () => {
    await append(['two'], 3);
    await expect(append(['three', 'four'], 3)).rejects.toEqual(FULL);
    expect(await counts()).toEqual({ total: 2, conversations: 1, turns: 2 });
    await append(['three'], 3);
    await expect(append(['four'], 3)).rejects.toEqual(FULL);
    await append(['four']);
    expect(await counts()).toEqual({ total: 4, conversations: 1, turns: 4 });
  });

  it('is held by a conversation and by a cycle that begin, also when they bring no turn yet', async () => {
    const begin = (turns: string[]) =>
      dal.conversations.create({
        sessionId,
        conversationId: newId('conv'),
        directive: 'Go on.',
        turns: turns.map((content) => newTurn(content)),
        jobs: [],
        maxTurns: 1,
        now: NOON,
      });
    await expect(begin(['two'])).rejects.toEqual(FULL);
    await expect(begin([])).rejects.toEqual(FULL);
    const cycleId = newId('cyc');
    const cycle = {
      sessionId,
      conversationId,
      cycleId,
      status: 'received',
      outcome: null,
      request: {},
      machine: { format: 1 },
      createdAt: NOON,
      events: [],
      jobs: [],
    };
    for (const turns of [[newTurn('two')], []])
      await expect(dal.cycles.create({ ...cycle, turns, maxTurns: 1 })).rejects.toEqual(FULL);
    expect(await dal.cycles.get(cycleId)).toBeNull();
    expect(await counts()).toEqual({ total: 1, conversations: 1, turns: 1 });
    const { cycle: begun } = await dal.cycles.create({ ...cycle, turns: [newTurn('two')], maxTurns: 2 });
    expect(begun).not.toHaveProperty('maxTurns');
  });

  it('is not passed by many at once', async () => {
    const ends = await Promise.allSettled(Array.from({ length: 20 }, (_, at) => append([String(at)], 8)));
    expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(7);
    expect(await counts()).toEqual({ total: 8, conversations: 1, turns: 8 });
  });

  it('gives a request that is sent again the answer that it had', async () => {
    const first = await append(['two'], 2, 'key');
    const again = await append(['two'], 2, 'key');
    expect(again).toEqual({ turns: first.turns, replayed: true });
    await expect(append(['three'], 2, 'other')).rejects.toEqual(FULL);
  });
});
