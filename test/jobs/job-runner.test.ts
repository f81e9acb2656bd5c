import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLogger } from '../../src/base/logger.ts';
import { describeError, JobError } from '../../src/jobs/job-error.ts';
import { JobRunner, type JobRunnerOptions } from '../../src/jobs/job-runner.ts';
import type { MemoryDAL } from '../../src/store/memory-dal.ts';
import type { NewJob } from '../../src/store/records.ts';
import { openTestRecord } from '../support/record.ts';
import { newJob, newSession, temporaryFolder } from '../store/implementations.ts';

describe('the job runner', () => {
  let folder: string;
  let dal: MemoryDAL;
  let sessionId: string;
  let log: string;
  let runners: JobRunner[];
  beforeEach(async () => {
    folder = temporaryFolder();
    dal = await openTestRecord(join(folder, 'record.db'));
    sessionId = await newSession(dal);
    log = '';
    runners = [];
  });
  afterEach(async () => {
    for (const runner of runners) await runner.stop(0);
    await dal.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const newRunner = (options: Partial<JobRunnerOptions> = {}) => {
    const logger = createLogger('debug', { write: (line) => (log += line) });
    const runner = new JobRunner({
      jobs: dal.jobs,
      logger,
      backoff: { firstMs: 1, longestMs: 4 },
      maxAttempts: 3,
      ...options,
    });
    runners.push(runner);
    return runner;
  };
  const enqueue = (...jobs: Partial<NewJob>[]) =>
    dal.jobs.enqueue(
      sessionId,
      jobs.map((job) => newJob({ kind: 'work', runAt: Date.now(), ...job })),
      Date.now(),
    );
  /** A promise with its handle outside. */
  const gate = () => {
    let open: () => void = () => undefined;
    const opened = new Promise<void>((resolve) => (open = resolve));
    return { opened, open: () => open() };
  };
  const states = async () =>
    (await dal.jobs.counts()).map(({ kind, state, count }) => `${count} ${kind} ${state}`);

  it('does what is stored before it starts and what is stored later, when nudged, and removes it', async () => {
    const done: unknown[] = [];
    const runner = newRunner();
    runner.register('work', async (job) => void done.push(job.payload['n']));
    await enqueue({ dedupeKey: 'a', payload: { n: 1 } });
    runner.start();
    await runner.whenIdle();
    expect(done).toEqual([1]);
    await enqueue({ dedupeKey: 'b', payload: { n: 2 } });
    runner.nudge();
    await runner.whenIdle();
    expect(done).toEqual([1, 2]);
    expect(await states()).toEqual([]);
  });

  it('wakes up by itself when a job becomes due', async () => {
    const ran = gate();
    const runner = newRunner();
    runner.register('work', async () => ran.open());
    await enqueue({ runAt: Date.now() + 60 });
    runner.start();
    await runner.whenIdle();
    expect(await states()).toEqual(['1 work ready']);
    await ran.opened;
    await runner.whenIdle();
    expect(await states()).toEqual([]);
  });

  it('runs at most as many at a time as allowed, and all in the end', async () => {
    let now = 0;
    let most = 0;
    let done = 0;
    const runner = newRunner({ concurrency: 3 });
    runner.register('work', async () => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setTimeout(resolve, 2));
      now -= 1;
      done += 1;
    });
    await enqueue(...Array.from({ length: 20 }, (_, i) => ({ dedupeKey: `${i}` })));
    runner.start();
    await runner.whenIdle();
    expect({ most, done }).toEqual({ most: 3, done: 20 });
  });

  it('tries again after a failure, and forgets it on success', async () => {
    const attempts: [number, boolean][] = [];
    const succeeded = gate();
    const runner = newRunner();
    runner.register('work', async (_job, { attempt, isLastAttempt }) => {
      attempts.push([attempt, isLastAttempt]);
      if (attempt < 3) throw new Error('not yet');
      succeeded.open();
    });
    await enqueue({});
    runner.start();
    await succeeded.opened;
    await runner.whenIdle();
    expect(attempts).toEqual([
      [1, false],
      [2, false],
      [3, true],
    ]);
    expect(await states()).toEqual([]);
  });

  it('waits longer with each failure, within the limit, and not all for the same time', async () => {
    const failures: number[] = [];
    const jobs = {
      ...dal.jobs,
      fail: async (input: Parameters<typeof dal.jobs.fail>[0]) => {
        if (input.retryAt !== null) failures.push(input.retryAt);
        // Due at once, so that the test does not wait.
        await dal.jobs.fail({ ...input, retryAt: input.retryAt === null ? null : 1_000 });
      },
    };
    const runner = newRunner({
      jobs,
      clock: { now: () => 1_000 },
      maxAttempts: 6,
      backoff: { firstMs: 100, longestMs: 1_000 },
      random: () => 0.5,
    });
    runner.register('work', () => Promise.reject(new Error('no')));
    await enqueue({ runAt: 0 });
    runner.start();
    await expect.poll(states).toEqual(['1 work failed']);
    expect(failures.map((at) => at - 1_000)).toEqual([75, 150, 300, 600, 750]);
  });

  it('sets a job aside after the last attempt; the others go on', async () => {
    const runner = newRunner();
    let attempts = 0;
    runner.register('work', async (job) => {
      if (job.payload['bad'] !== true) return;
      attempts += 1;
      throw new Error('hopeless');
    });
    await enqueue({ dedupeKey: 'bad', payload: { bad: true } }, { dedupeKey: 'good' });
    runner.start();
    await expect.poll(states).toEqual(['1 work failed']);
    expect(attempts).toBe(3);
    expect(log).toContain('set aside');
  });

  it('a handler may say that it is of no use, or that it is too early, which is no failure', async () => {
    const runner = newRunner({ maxAttempts: 2 });
    let early = 0;
    const done = gate();
    runner.register('hopeless', () => Promise.reject(new JobError('never', { retryAt: null })));
    runner.register('limited', async () => {
      early += 1;
      if (early <= 5) throw new JobError('one a minute', { retryAt: Date.now() });
      done.open();
    });
    await enqueue({ kind: 'hopeless' }, { kind: 'limited' });
    runner.start();
    await done.opened;
    await runner.whenIdle();
    expect(early).toBe(6);
    expect(await states()).toEqual(['1 hopeless failed']);
  });

  it('where nothing of a kind can be done before a time, none of it is taken up, and others are', async () => {
    let now = Date.now();
    const runner = newRunner({ clock: { now: () => now } });
    const until = now + 60_000;
    let [asked, done] = [0, 0];
    runner.register('limited', async () => {
      asked += 1;
      if (now < until) throw new JobError('none left', { retryAt: until, forAll: true });
    });
    runner.register('free', async () => void (done += 1));
    const runAt = now;
    await enqueue({ kind: 'limited', dedupeKey: '1', runAt });
    runner.start();
    await runner.whenIdle();
    await enqueue(
      { kind: 'limited', dedupeKey: '2', runAt },
      { kind: 'limited', dedupeKey: '3', runAt },
      { kind: 'free', runAt },
    );
    await runner.whenIdle();
    expect([asked, done]).toEqual([1, 1]);
    expect(await states()).toEqual(['3 limited ready']);
    now = until;
    await runner.whenIdle();
    expect(asked).toBe(4);
    expect(await states()).toEqual([]);
  });

  it('a job that ended the process each time it was tried is not tried for ever', async () => {
    await enqueue({});
    for (let i = 0; i < 3; i++)
      await dal.jobs.claim({ kinds: ['work'], limit: 1, leaseMs: -1, now: Date.now() });
    let ran = false;
    const runner = newRunner();
    runner.register('work', async () => void (ran = true));
    runner.start();
    await expect.poll(states).toEqual(['1 work failed']);
    expect(ran).toBe(false);
  });

  it('a job that is stored anew while it runs is run again after that, not beside it', async () => {
    const first = gate();
    const started = gate();
    const seen: unknown[] = [];
    let atOnce = 0;
    const runner = newRunner();
    runner.register('work', async (job) => {
      expect(++atOnce).toBe(1);
      seen.push(job.payload['n']);
      started.open();
      if (seen.length === 1) await first.opened;
      atOnce -= 1;
    });
    await enqueue({ payload: { n: 1 } });
    runner.start();
    await started.opened;
    await enqueue({ payload: { n: 2 } });
    runner.nudge();
    first.open();
    await expect.poll(() => seen).toEqual([1, 2]);
    await runner.whenIdle();
    expect(await states()).toEqual([]);
  });

  it('stopping waits for what runs, and takes up nothing more', async () => {
    const release = gate();
    const started = gate();
    let done = 0;
    const runner = newRunner({ concurrency: 1 });
    runner.register('work', async () => {
      started.open();
      await release.opened;
      done += 1;
    });
    await enqueue({ dedupeKey: 'a' }, { dedupeKey: 'b' });
    runner.start();
    await started.opened;
    const stopped = runner.stop(10_000);
    release.open();
    await stopped;
    expect(done).toBe(1);
    expect(await states()).toEqual(['1 work ready']);
  });

  it('what has not ended by the limit hears it, keeps its lease, and runs again later', async () => {
    const started = gate();
    const aborted = gate();
    const runner = newRunner();
    runner.register('work', (_job, { signal }) => {
      started.open();
      return new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          aborted.open();
          reject(new Error('stopped'));
        });
      });
    });
    await enqueue({});
    runner.start();
    await started.opened;
    await runner.stop(5);
    await aborted.opened;
    expect(await states()).toEqual(['1 work running']);
    const nextStart = newRunner({ clock: { now: () => Date.now() + 120_000 } });
    const again = gate();
    nextStart.register('work', async () => again.open());
    nextStart.start();
    await again.opened;
    await nextStart.whenIdle();
    expect(await states()).toEqual([]);
  });

  it('a long job keeps its lease: nobody else takes it up', async () => {
    let runs = 0;
    const release = gate();
    const work = async () => {
      runs += 1;
      await release.opened;
    };
    const [one, two] = [newRunner({ leaseMs: 60 }), newRunner({ leaseMs: 60 })];
    for (const runner of [one, two]) {
      runner.register('work', work);
      runner.start();
    }
    await enqueue({});
    one.nudge();
    await expect.poll(() => runs).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 200));
    two.nudge();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(runs).toBe(1);
    release.open();
    await one.whenIdle();
  });

  it('leaves jobs of other kinds where they are, and refuses two handlers for one kind', async () => {
    const runner = newRunner();
    runner.register('work', async () => undefined);
    expect(() => runner.register('work', async () => undefined)).toThrow('of the kind work');
    await enqueue({ kind: 'foreign' });
    runner.start();
    await runner.whenIdle();
    expect(await states()).toEqual(['1 foreign ready']);
  });

  it('trouble of the record does not end it', async () => {
    let broken = true;
    const jobs = {
      ...dal.jobs,
      claim: (input: Parameters<typeof dal.jobs.claim>[0]) =>
        broken ? Promise.reject(new Error('disk on fire')) : dal.jobs.claim(input),
    };
    const runner = newRunner({ jobs });
    const ran = gate();
    runner.register('work', async () => ran.open());
    await enqueue({});
    runner.start();
    await expect.poll(() => log).toContain('the jobs could not be read');
    broken = false;
    await ran.opened;
  });

  it('keeps no secret of an error, in the log or in the record', async () => {
    const secret = 'sk-proj-abcdefghijklmnop1234567890';
    const runner = newRunner({ maxAttempts: 1 });
    runner.register('work', () => Promise.reject(new Error(`401 for Bearer ${secret}`)));
    await enqueue({});
    runner.start();
    await expect.poll(states).toEqual(['1 work failed']);
    expect(log).toContain('401 for');
    expect(log).not.toContain('abcdefghijklmnop');
    expect(describeError(new Error(`key=${secret}\nmore`))).not.toContain('abcdefghijklmnop');
    expect(describeError('a string')).toBe('something that is not an Error was thrown');
  });
});
