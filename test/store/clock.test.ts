import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Clock } from '../../src/base/clock.ts';
import { JobRunner } from '../../src/jobs/job-runner.ts';
import { createMemoryService } from '../../src/memory/create-memory-service.ts';
import type { MemoryDAL } from '../../src/store/memory-dal.ts';
import { openSqliteStore } from '../../src/store/sqlite/open-sqlite-store.ts';
import { newJob, newSession, NOON, temporaryFolder } from './implementations.ts';

const HOUR = 3_600_000;
const YEAR = 365 * 24 * HOUR;

describe('a clock that jumps', () => {
  let folder: string;
  let dal: MemoryDAL;
  let now: number;
  const clock: Clock = { now: () => now };
  beforeEach(async () => {
    folder = temporaryFolder();
    dal = await openSqliteStore({ file: join(folder, 'record.db'), threads: false });
    now = NOON;
  });
  afterEach(async () => {
    await dal.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('does not change the order of what is said: that is the order in which it was stored', async () => {
    const memory = createMemoryService({ dal, clock });
    const { session } = await memory.createSession({});
    const { conversation } = await memory.createConversation({
      sessionId: session.sessionId,
      directive: 'Said at noon.',
    });
    const { conversationId } = conversation;
    for (const [at, jump] of [YEAR, -2 * YEAR, 0, 5 * YEAR, -HOUR].entries()) {
      now += jump;
      await memory.appendTurns({
        conversationId,
        turns: [{ agent: 'wykeve', content: `Thing number ${at} about marigolds.` }],
      });
    }
    const turns = await dal.turns.list({
      sessionId: session.sessionId,
      conversationId,
      fromNumber: 1,
      limit: 10,
    });
    expect(turns.map(({ turnNumber }) => turnNumber)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(turns.map(({ content }) => content).slice(1)).toEqual(
      [0, 1, 2, 3, 4].map((at) => `Thing number ${at} about marigolds.`),
    );
    expect(await dal.maintenance.check()).toEqual([]);

    // Whatever the clock says, all of it is found and the newest comes last.
    for (const time of [0, NOON, NOON + 20 * YEAR]) {
      now = time;
      const found = await memory.searchTurns({
        sessionId: session.sessionId,
        query: 'marigolds',
        maxResults: 10,
        relevanceThreshold: 0,
        timeRange: null,
      });
      expect(found).toHaveLength(5);
      const context = await memory.buildContext({
        sessionId: session.sessionId,
        conversationId,
        directive: 'What about the marigolds?',
        maxTurns: 10,
        maxTokens: 2_000,
        includeAgentState: true,
        includeCausal: false,
        alreadySent: [],
      });
      const shown = [0, 1, 2, 3, 4].map((at) => context.prompt?.indexOf(`Thing number ${at} `) ?? -1);
      expect(Math.min(...shown)).toBeGreaterThanOrEqual(0);
    }
  });

  it('never takes a session back in time: the latest activity that was seen stays', async () => {
    const sessionId = await newSession(dal, { now: NOON + YEAR });
    await dal.sessions.setPreferences(sessionId, { tone: 'dry' }, NOON);
    expect((await dal.sessions.get(sessionId))?.lastActive).toBe(NOON + YEAR);
  });

  it('back does not leave a job waiting for a time that was never meant', async () => {
    const sessionId = await newSession(dal);
    // Written while the clock was a year ahead: one put off for a little, one taken up by a process that then died.
    await dal.jobs.enqueue(
      sessionId,
      [newJob({ dedupeKey: 'waits', payload: { name: 'waits' }, runAt: NOON + YEAR + 2_000 })],
      NOON + YEAR,
    );
    await dal.jobs.enqueue(
      sessionId,
      [newJob({ dedupeKey: 'held', payload: { name: 'held' }, runAt: NOON + YEAR })],
      NOON + YEAR,
    );
    const [held] = await dal.jobs.claim({
      kinds: ['summarise'],
      limit: 1,
      leaseMs: 60_000,
      now: NOON + YEAR,
    });
    expect(held?.payload).toEqual({ name: 'held' });
    const done: unknown[] = [];
    const runner = new JobRunner({ jobs: dal.jobs, clock });
    runner.register('summarise', (job) => {
      done.push(job.payload['name']);
      return Promise.resolve();
    });
    runner.start();
    await runner.whenIdle();
    await runner.stop(1_000);
    expect(done.sort()).toEqual(['held', 'waits']);
    expect(await dal.jobs.counts()).toEqual([]);
  });

  it('by less than an hour leaves jobs where they are: they wait for as long as they were told', async () => {
    const sessionId = await newSession(dal);
    await dal.jobs.enqueue(sessionId, [newJob({ runAt: NOON + 40 * 60_000 })], NOON);
    const claim = (at: number) =>
      dal.jobs.claim({ kinds: ['summarise'], limit: 5, leaseMs: 60_000, now: at });
    expect(await claim(NOON)).toEqual([]);
    expect(await claim(NOON + 40 * 60_000)).toHaveLength(1);
    // Its lease holds, also when the clock is set back by a little meanwhile.
    expect(await claim(NOON + 39 * 60_000)).toEqual([]);
  });

  it('ahead does no job twice: who was overtaken hears that the lease is lost', async () => {
    const sessionId = await newSession(dal);
    await dal.jobs.enqueue(sessionId, [newJob()], NOON);
    const input = { kinds: ['summarise'], limit: 1, leaseMs: 60_000 };
    const [first] = await dal.jobs.claim({ ...input, now: NOON });
    const [second] = await dal.jobs.claim({ ...input, now: NOON + YEAR });
    const renew = (job: typeof first) =>
      dal.jobs.renew({
        sessionId,
        jobId: job?.jobId ?? '',
        attempts: job?.attempts ?? 0,
        leaseUntil: NOON + YEAR,
      });
    expect(await renew(first)).toBe(false);
    expect(await renew(second)).toBe(true);
  });
});
