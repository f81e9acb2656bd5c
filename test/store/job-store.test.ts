import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { MemoryDAL } from '../../src/store/memory-dal.ts';
import { IMPLEMENTATIONS, newConversation, newJob, newSession, newTurn, NOON } from './implementations.ts';

const LEASE = 60_000;

describe.each(IMPLEMENTATIONS)('jobs in the record: $name', ({ prepare }) => {
  const record = prepare();
  let dal: MemoryDAL;
  let sessionId: string;
  beforeAll(async () => {
    dal = await record.open();
  });
  beforeEach(async () => {
    for (const { sessionId: id } of (await dal.sessions.list({ limit: 1000, cursor: null })).items) {
      await dal.sessions.erase(id);
    }
    sessionId = await newSession(dal);
  });
  afterAll(() => record.remove());

  const claim = (now: number, limit = 10, kinds = ['summarise']) =>
    dal.jobs.claim({ kinds, limit, leaseMs: LEASE, now });

  it('two waiting jobs of one session, kind and key are one, with the newer payload and the earlier time', async () => {
    await dal.jobs.enqueue(sessionId, [newJob({ payload: { through: 1 }, runAt: NOON + 10 })], NOON);
    await dal.jobs.enqueue(sessionId, [newJob({ payload: { through: 2 }, runAt: NOON + 20 })], NOON);
    await dal.jobs.enqueue(sessionId, [newJob({ dedupeKey: 'two' })], NOON);
    const other = await newSession(dal);
    await dal.jobs.enqueue(other, [newJob()], NOON);
    const jobs = await claim(NOON + 10);
    expect(jobs.map((job) => [job.sessionId, job.payload])).toEqual(
      expect.arrayContaining([
        [sessionId, { through: 2 }],
        [sessionId, {}],
        [other, {}],
      ]),
    );
    expect(jobs).toHaveLength(3);
  });

  it('hands out what is due, oldest first, to one taker only', async () => {
    for (let i = 0; i < 5; i++) {
      await dal.jobs.enqueue(
        sessionId,
        [newJob({ dedupeKey: `${i}`, runAt: NOON + 5 - i, payload: { i } })],
        NOON,
      );
    }
    expect((await claim(NOON + 3)).map((job) => job.payload['i'])).toEqual([4, 3, 2]);
    expect(await claim(NOON + 3)).toEqual([]);
    const both = await Promise.all([claim(NOON + 9, 1), claim(NOON + 9, 1)]);
    expect(both.map(([job]) => job?.payload['i'])).toEqual([1, 0]);
  });

  it('a job stored while its twin runs is run after it: the update is not lost', async () => {
    await dal.jobs.enqueue(sessionId, [newJob({ payload: { through: 1 } })], NOON);
    const [running] = await claim(NOON);
    await dal.jobs.enqueue(sessionId, [newJob({ payload: { through: 2 } })], NOON);
    expect(await claim(NOON)).toEqual([]);
    expect(await dal.jobs.nextDue(['summarise'])).toBe(NOON + LEASE);
    await dal.jobs.complete(sessionId, running!.jobId);
    expect(await dal.jobs.nextDue(['summarise'])).toBe(NOON);
    expect(await claim(NOON)).toMatchObject([{ payload: { through: 2 }, attempts: 1 }]);
  });

  it('a failure is tried again later, and counts its attempts', async () => {
    await dal.jobs.enqueue(sessionId, [newJob()], NOON);
    const [first] = await claim(NOON);
    await dal.jobs.fail({
      sessionId,
      jobId: first!.jobId,
      error: 'no luck',
      retryAt: NOON + 500,
      counts: true,
    });
    expect(await claim(NOON + 499)).toEqual([]);
    expect(await dal.jobs.nextDue(['summarise'])).toBe(NOON + 500);
    const again = await claim(NOON + 500);
    expect(again).toMatchObject([
      { jobId: first!.jobId, attempts: 2, lastError: 'no luck', state: 'running' },
    ]);
    await dal.jobs.fail({
      sessionId,
      jobId: first!.jobId,
      error: 'wait',
      retryAt: NOON + 600,
      counts: false,
    });
    expect(await claim(NOON + 600)).toMatchObject([{ attempts: 2 }]);
  });

  it('a new wish does not cut short the wait after a failure', async () => {
    await dal.jobs.enqueue(sessionId, [newJob()], NOON);
    const [job] = await claim(NOON);
    await dal.jobs.fail({ sessionId, jobId: job!.jobId, error: 'no', retryAt: NOON + 500, counts: true });
    await dal.jobs.enqueue(sessionId, [newJob({ payload: { newer: true } })], NOON + 1);
    expect(await claim(NOON + 499)).toEqual([]);
    expect(await claim(NOON + 500)).toMatchObject([{ payload: { newer: true }, attempts: 2 }]);
  });

  it('a failure whose twin waits is merged into it', async () => {
    await dal.jobs.enqueue(sessionId, [newJob({ payload: { through: 1 } })], NOON);
    const [job] = await claim(NOON);
    await dal.jobs.enqueue(sessionId, [newJob({ payload: { through: 2 } })], NOON);
    await dal.jobs.fail({ sessionId, jobId: job!.jobId, error: 'no', retryAt: NOON + 500, counts: true });
    expect(await dal.jobs.counts()).toEqual([{ kind: 'summarise', state: 'ready', count: 1 }]);
    expect(await claim(NOON + 499)).toEqual([]);
    expect(await claim(NOON + 500)).toMatchObject([{ payload: { through: 2 }, attempts: 2 }]);
  });

  it('a hopeless job is set aside, seen in the counts, and not handed out again', async () => {
    await dal.jobs.enqueue(sessionId, [newJob(), newJob({ kind: 'embed' })], NOON);
    const [job] = await claim(NOON);
    await dal.jobs.fail({ sessionId, jobId: job!.jobId, error: 'never', retryAt: null, counts: true });
    expect(await dal.jobs.counts()).toEqual([
      { kind: 'embed', state: 'ready', count: 1 },
      { kind: 'summarise', state: 'failed', count: 1 },
    ]);
    expect(await claim(NOON + 1e9)).toEqual([]);
    expect(await dal.jobs.nextDue(['summarise'])).toBeNull();
    // It does not stand in the way of the same wish made anew.
    await dal.jobs.enqueue(sessionId, [newJob()], NOON);
    expect(await claim(NOON)).toHaveLength(1);
  });

  it('a lease that ran out makes the job due again, and its old holder has lost it', async () => {
    await dal.jobs.enqueue(sessionId, [newJob()], NOON);
    const [job] = await claim(NOON);
    const renew = (attempts: number, leaseUntil: number) =>
      dal.jobs.renew({ sessionId, jobId: job!.jobId, attempts, leaseUntil });
    expect(await renew(1, NOON + 2 * LEASE)).toBe(true);
    expect(await claim(NOON + LEASE)).toEqual([]);
    expect(await claim(NOON + 2 * LEASE)).toMatchObject([{ jobId: job!.jobId, attempts: 2 }]);
    expect(await renew(1, NOON + 9 * LEASE)).toBe(false);
    expect(await renew(2, NOON + 9 * LEASE)).toBe(true);
  });

  it('jobs are stored with the turns they come from, or not at all', async () => {
    const conversationId = await newConversation(dal, sessionId);
    const append = (id: string) =>
      dal.turns.append({ sessionId, conversationId: id, turns: [newTurn('x')], jobs: [newJob()], now: NOON });
    await expect(append('conv_unknown')).rejects.toMatchObject({ code: 'conversation_not_found' });
    expect(await dal.jobs.counts()).toEqual([]);
    await append(conversationId);
    expect(await dal.jobs.counts()).toEqual([{ kind: 'summarise', state: 'ready', count: 1 }]);
    await expect(dal.jobs.enqueue('sess_unknown', [newJob()], NOON)).rejects.toMatchObject({
      code: 'session_not_found',
    });
  });

  it('lists what was set aside, page by page, and makes it due again with all its attempts', async () => {
    await dal.jobs.enqueue(
      sessionId,
      ['one', 'two', 'three'].map((dedupeKey) => newJob({ dedupeKey })),
      NOON,
    );
    for (const { jobId } of await claim(NOON)) {
      await dal.jobs.fail({ sessionId, jobId, error: 'no use', retryAt: null, counts: true });
    }
    const first = await dal.jobs.failed({ limit: 2, cursor: null });
    const rest = await dal.jobs.failed({ limit: 2, cursor: first.nextCursor });
    const all = [...first.items, ...rest.items];
    expect(all.map(({ lastError, attempts }) => [lastError, attempts])).toEqual(all.map(() => ['no use', 1]));
    expect(new Set(all.map(({ jobId }) => jobId)).size).toBe(3);
    expect(rest.nextCursor).toBeNull();

    expect(await dal.jobs.retry({ jobId: all[0]!.jobId, now: NOON + 1 })).toBe(1);
    expect(await dal.jobs.retry({ kind: 'another', now: NOON + 1 })).toBe(0);
    expect((await claim(NOON + 1)).map(({ jobId, attempts }) => [jobId, attempts])).toEqual([
      [all[0]!.jobId, 1],
    ]);
    // What waits anew does the work of its twin that failed.
    await dal.jobs.enqueue(sessionId, [newJob({ dedupeKey: 'two' }), newJob({ dedupeKey: 'three' })], NOON);
    await dal.jobs.retry({ kind: 'summarise', now: NOON + 1 });
    expect((await dal.jobs.failed({ limit: 10, cursor: null })).items).toEqual([]);
    expect(await claim(NOON + 1)).toHaveLength(2);
  });
});
