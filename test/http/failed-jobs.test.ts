import { expect, it, onTestFinished } from 'vitest';
import { startUpstream } from '../support/upstream.ts';
import { startWhole } from '../trust/whole-server.ts';

it('a job that always fails is set aside, listed with its reason, and done when it is tried again', async () => {
  const upstream = await startUpstream();
  onTestFinished(() => upstream.close());
  const server = await startWhole(upstream);
  const { jobs } = server.parts.dal;
  const { session_id: sessionId, token } = await server.call('POST', '/api/v2/sessions', {});
  // Of a kind that only this test does, so that nobody else takes it up.
  const job = { kind: 'of a plugin', dedupeKey: 'x', payload: {}, runAt: 0 };
  await jobs.enqueue(sessionId, [job], Date.now());
  const [taken] = await jobs.claim({ kinds: [job.kind], limit: 1, leaseMs: 60_000, now: Date.now() });
  const jobId = taken?.jobId ?? '';
  await jobs.fail({ sessionId, jobId, error: 'no use', retryAt: null, counts: true });

  const listed = await server.call('GET', '/api/v2/jobs/failed');
  expect(listed.data).toMatchObject([
    { job_id: jobId, session_id: sessionId, kind: 'of a plugin', attempts: 1, last_error: 'no use' },
  ]);
  expect(listed.next_cursor).toBeNull();

  // A session's token opens neither.
  const own = { authorization: `Bearer ${String(token)}` };
  expect((await server.send('GET', '/api/v2/jobs/failed', undefined, own)).status).toBe(401);
  expect((await server.send('POST', '/api/v2/jobs/failed/retry', {}, own)).status).toBe(401);
  expect((await server.send('POST', '/api/v2/jobs/failed/retry', { all: true })).status).toBe(400);

  expect(await server.call('POST', '/api/v2/jobs/failed/retry', { job_id: 'another' })).toEqual({
    retried: 0,
  });
  expect(await server.call('POST', '/api/v2/jobs/failed/retry')).toEqual({ retried: 1 });
  expect((await server.call('GET', '/api/v2/jobs/failed')).data).toEqual([]);
  const status = await server.call('GET', '/api/v2/status');
  expect(status.jobs).toContainEqual({ kind: 'of a plugin', state: 'ready', count: 1 });
});
