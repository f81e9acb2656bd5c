import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newId } from '../../src/base/ids.ts';
import type { CycleCommit } from '../../src/store/cycle-store.ts';
import type { MemoryDAL } from '../../src/store/memory-dal.ts';
import { IMPLEMENTATIONS, newConversation, newJob, newSession, newTurn, NOON } from './implementations.ts';

describe.each(IMPLEMENTATIONS)('cycles in the record: $name', ({ prepare }) => {
  const record = prepare();
  let dal: MemoryDAL;
  let sessionId: string;
  let conversationId: string;
  beforeAll(async () => {
    dal = await record.open();
  });
  beforeEach(async () => {
    sessionId = await newSession(dal);
    conversationId = await newConversation(dal, sessionId);
  });
  afterAll(() => record.remove());

  const begin = async (fields: { createdAt?: number; outcome?: string; conversationId?: string } = {}) =>
    dal.cycles.create({
      sessionId,
      conversationId,
      cycleId: newId('cyc'),
      status: 'received',
      outcome: null,
      request: { directive: 'Name a river.' },
      machine: { format: 1 },
      createdAt: NOON,
      turns: [newTurn('Name a river.', { kind: 'directive' })],
      events: [{ type: 'cycle_started', data: { a: 1 } }],
      jobs: [],
      ...fields,
    });
  const boundary = (cycleId: string, version: number, fields: Partial<CycleCommit> = {}): CycleCommit => ({
    sessionId,
    cycleId,
    expectedVersion: version,
    status: 'guiding',
    outcome: null,
    machine: { format: 1, at: version },
    turns: [],
    events: [],
    jobs: [],
    now: NOON + version,
    ...fields,
  });
  const opening = (stepId: string, stepNumber: number) => ({
    stepId,
    stepNumber,
    kind: 'guide',
    agent: 'beatrice',
    round: 1,
    attempt: 1,
    input: { prompt_hash: 'x' },
    startedAt: NOON,
  });

  it('begins with its directive as a turn and its first event, in one', async () => {
    const { cycle, turns, events } = await begin();
    expect(cycle).toMatchObject({ version: 1, outcome: null, request: { directive: 'Name a river.' } });
    expect(turns.map(({ turnNumber, kind }) => [turnNumber, kind])).toEqual([[1, 'directive']]);
    expect(events.map(({ seq, type }) => [seq, type])).toEqual([[1, 'cycle_started']]);
    expect(await dal.cycles.get(cycle.cycleId)).toEqual(cycle);
    expect(await dal.cycles.get('cyc_none')).toBeNull();
  });

  it('stores a step boundary wholly: state, closed step, open step, turns, events, jobs', async () => {
    const { cycleId } = (await begin()).cycle;
    await dal.cycles.commit(boundary(cycleId, 1, { openStep: opening('step_1', 1) }));
    const stored = await dal.cycles.commit(
      boundary(cycleId, 2, {
        closeStep: { stepId: 'step_1', status: 'done', output: { text: 'Go.' }, endedAt: NOON + 9 },
        openStep: opening('step_2', 2),
        turns: [newTurn('Go.', { agent: 'beatrice', kind: 'guidance', cycleId })],
        events: [
          { type: 'guidance', data: {} },
          { type: 'step_started', data: {} },
        ],
        jobs: [newJob({ dedupeKey: cycleId })],
      }),
    );
    expect(stored).toMatchObject({
      version: 3,
      turns: [{ turnNumber: 2, cycleId }],
      events: [{ seq: 2 }, { seq: 3 }],
    });
    expect(await dal.cycles.get(cycleId)).toMatchObject({
      version: 3,
      status: 'guiding',
      machine: { at: 2 },
      updatedAt: NOON + 2,
    });
    expect(await dal.cycles.steps(sessionId, cycleId)).toMatchObject([
      { stepId: 'step_1', status: 'done', output: { text: 'Go.' }, endedAt: NOON + 9 },
      { stepId: 'step_2', status: 'open', output: null, endedAt: null, input: { prompt_hash: 'x' } },
    ]);
    const later = await dal.cycles.events({ sessionId, cycleId, afterSeq: 1, limit: 1 });
    expect(later.map(({ seq, type }) => [seq, type])).toEqual([[2, 'guidance']]);
  });

  it('lets one of two writers go on, and stores nothing of the one that was overtaken', async () => {
    const { cycleId } = (await begin()).cycle;
    const both = await Promise.allSettled(
      ['a', 'b'].map((name) =>
        dal.cycles.commit(
          boundary(cycleId, 1, {
            openStep: opening(`step_${name}`, 1),
            turns: [newTurn(name)],
            events: [{ type: name, data: {} }],
          }),
        ),
      ),
    );
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(both.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { code: 'cycle_conflict' },
    });
    expect(await dal.cycles.steps(sessionId, cycleId)).toHaveLength(1);
    expect(await dal.turns.list({ sessionId, conversationId, fromNumber: 1, limit: 9 })).toHaveLength(2);
    await expect(dal.cycles.commit(boundary('cyc_none', 1))).rejects.toMatchObject({
      code: 'cycle_not_found',
    });
  });

  it('lists a session’s own cycles, newest first, in pages, also those of one conversation', async () => {
    const ids: string[] = [];
    for (const at of [0, 0, 1]) ids.push((await begin({ createdAt: NOON + at })).cycle.cycleId);
    const other = await newConversation(dal, sessionId);
    const elsewhere = (await begin({ createdAt: NOON + 2, conversationId: other })).cycle.cycleId;
    const mine = sessionId;
    sessionId = await newSession(dal);
    conversationId = await newConversation(dal, sessionId);
    await begin();
    const newest = [elsewhere, ids[2], ...ids.slice(0, 2).sort().reverse()];
    const first = await dal.cycles.list({ sessionId: mine, limit: 2, cursor: null });
    const second = await dal.cycles.list({ sessionId: mine, limit: 2, cursor: first.nextCursor });
    expect([...first.items, ...second.items].map(({ cycleId }) => cycleId)).toEqual(newest);
    expect(second.nextCursor).toBeNull();
    const one = await dal.cycles.list({ sessionId: mine, conversationId: other, limit: 9, cursor: null });
    expect(one.items.map(({ cycleId }) => cycleId)).toEqual([elsewhere]);
  });

  it('knows which cycles of a session wait for the client’s tools, newest first', async () => {
    const waiting: string[] = [];
    for (const [at, outcome] of ['awaiting_tools', 'approved', 'awaiting_tools', null].entries()) {
      const { cycleId } = (await begin({ createdAt: NOON + at })).cycle;
      await dal.cycles.commit(boundary(cycleId, 1, { outcome }));
      if (outcome === 'awaiting_tools') waiting.unshift(cycleId);
    }
    const found = await dal.cycles.waitingForTools(sessionId, 9);
    expect(found.map(({ cycleId }) => cycleId)).toEqual(waiting);
    expect(await dal.cycles.waitingForTools(sessionId, 1)).toHaveLength(1);
    expect(await dal.cycles.waitingForTools(await newSession(dal), 9)).toEqual([]);
  });

  it('counts cycles by how they ended or stand, without counting them', async () => {
    const before = new Map((await dal.cycles.counts()).map(({ name, count }) => [name, count]));
    const { cycleId } = (await begin()).cycle;
    await begin();
    await dal.cycles.commit(boundary(cycleId, 1, { status: 'approved', outcome: 'counted_once' }));
    const after = new Map((await dal.cycles.counts()).map(({ name, count }) => [name, count]));
    expect(after.get('counted_once')).toBe(1);
    expect((after.get('received') ?? 0) - (before.get('received') ?? 0)).toBe(1);
    await dal.sessions.erase(sessionId);
    expect((await dal.cycles.counts()).some(({ name }) => name === 'counted_once')).toBe(false);
    expect(await dal.cycles.get(cycleId)).toBeNull();
  });
});
