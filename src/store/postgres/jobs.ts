import { decodeCursor, encodeCursor, pageOf } from '../cursor.ts';
import type { JobStore } from '../memory-dal.ts';
import type { JobRecord } from '../records.ts';
import { FURTHEST_AHEAD_MS, jobFromRow, RETRIED_AT_ONCE, type JobRow } from '../rows/job-rows.ts';
import { insertJobs } from './job-rows.ts';
import type { PostgresModule } from './postgres-module.ts';
import type { Queries } from './queries.ts';
import { lockIfThere, lockSession } from './session-lock.ts';

/** A waiting job whose twin is running has to wait for it. */
const NO_TWIN_RUNS = `NOT EXISTS (SELECT 1 FROM jobs twin WHERE twin.session_id = jobs.session_id
  AND twin.kind = jobs.kind AND twin.dedupe_key = jobs.dedupe_key AND twin.state = 'running')`;

export const jobsModule: PostgresModule<JobStore> = {
  writes: ['enqueue', 'claim', 'renew', 'complete', 'fail', 'retry'],
  create: (db) => ({
    async enqueue(sessionId, jobs, now) {
      await lockSession(db, sessionId);
      await insertJobs(db, sessionId, jobs, now);
    },
    claim: (input) => claim(db, input),
    renew: async ({ sessionId, jobId, attempts, leaseUntil }) =>
      (await db.run(
        `UPDATE jobs SET lease_until = $4
          WHERE session_id = $1 AND job_id = $2 AND state = 'running' AND attempts = $3`,
        sessionId,
        jobId,
        attempts,
        leaseUntil,
      )) > 0,
    complete: async (sessionId, jobId) => {
      await db.run('DELETE FROM jobs WHERE session_id = $1 AND job_id = $2', sessionId, jobId);
    },
    fail: (input) => fail(db, input),
    async failed({ limit, cursor }) {
      const [sessionId, jobId] = cursor === null ? ['', ''] : decodeCursor(cursor, ['string', 'string']);
      const rows = await db.all<JobRow>(
        `SELECT * FROM jobs WHERE state = 'failed' AND (session_id, job_id) > ($1::text, $2::text)
          ORDER BY session_id, job_id LIMIT $3`,
        sessionId,
        jobId,
        limit + 1,
      );
      return pageOf(rows, limit, jobFromRow, (row) => encodeCursor([row.session_id, row.job_id]));
    },
    retry: (input) => retry(db, input),
    counts: () =>
      db.all<{ kind: string; state: JobRecord['state']; count: number }>(
        'SELECT kind, state, count(*) AS count FROM jobs GROUP BY kind, state ORDER BY kind, state',
      ),
    nextDue: async (kinds) =>
      (await db.value<number | null>(
        `SELECT min(least(ready.due, running.due)) FROM unnest($1::text[]) AS asked (kind)
           LEFT JOIN LATERAL (SELECT run_at AS due FROM jobs
             WHERE kind = asked.kind AND state = 'ready' AND ${NO_TWIN_RUNS} ORDER BY run_at LIMIT 1) AS ready ON true
           LEFT JOIN LATERAL (SELECT lease_until AS due FROM jobs
             WHERE kind = asked.kind AND state = 'running' ORDER BY lease_until LIMIT 1) AS running ON true`,
        kinds,
      )) ?? null,
  }),
};

/** Servers that claim at the same time pass over what another one is taking: nobody waits, and no job is taken twice. */
async function claim(
  db: Queries,
  { kinds, limit, leaseMs, now }: Parameters<JobStore['claim']>[0],
): Promise<JobRecord[]> {
  const rows = await db.all<JobRow>(
    `WITH due AS MATERIALIZED (
       SELECT found.* FROM unnest($1::text[]) AS asked (kind), LATERAL (
         SELECT session_id, job_id, run_at FROM jobs
          WHERE kind = asked.kind AND state = 'ready' AND (run_at <= $2 OR run_at > $3) AND ${NO_TWIN_RUNS}
          ORDER BY run_at LIMIT $4 FOR UPDATE SKIP LOCKED) AS found),
     late AS MATERIALIZED (
       SELECT found.* FROM unnest($1::text[]) AS asked (kind), LATERAL (
         SELECT session_id, job_id, run_at FROM jobs
          WHERE kind = asked.kind AND state = 'running' AND (lease_until <= $2 OR lease_until > $3)
          ORDER BY lease_until LIMIT $4 FOR UPDATE SKIP LOCKED) AS found),
     taken AS MATERIALIZED (
       SELECT * FROM (SELECT * FROM due UNION ALL SELECT * FROM late) AS either ORDER BY run_at LIMIT $4)
     UPDATE jobs SET state = 'running', attempts = attempts + 1, lease_until = $5
       FROM taken WHERE jobs.session_id = taken.session_id AND jobs.job_id = taken.job_id
     RETURNING jobs.*`,
    kinds,
    now,
    now + FURTHEST_AHEAD_MS,
    limit,
    now + leaseMs,
  );
  return rows.sort((a, b) => a.run_at - b.run_at).map(jobFromRow);
}

async function fail(
  db: Queries,
  { sessionId, jobId, error, retryAt, counts }: Parameters<JobStore['fail']>[0],
): Promise<void> {
  if (!(await lockIfThere(db, sessionId))) return;
  const job = await db.get<JobRow>(
    `SELECT * FROM jobs WHERE session_id = $1 AND job_id = $2 AND state = 'running' FOR UPDATE`,
    sessionId,
    jobId,
  );
  if (!job) return;
  const attempts = counts ? job.attempts : job.attempts - 1;
  if (retryAt !== null) {
    // A twin that was stored meanwhile does the work of both, with the patience that the failure asks for.
    const merged = await db.run(
      `UPDATE jobs SET attempts = $4, run_at = greatest(run_at, $5), last_error = $6
        WHERE session_id = $1 AND kind = $2 AND dedupe_key = $3 AND state = 'ready'`,
      sessionId,
      job.kind,
      job.dedupe_key,
      attempts,
      retryAt,
      error,
    );
    if (merged > 0) {
      await db.run('DELETE FROM jobs WHERE session_id = $1 AND job_id = $2', sessionId, jobId);
      return;
    }
  }
  await db.run(
    `UPDATE jobs SET state = $3, attempts = $4, run_at = $5, lease_until = NULL, last_error = $6
      WHERE session_id = $1 AND job_id = $2`,
    sessionId,
    jobId,
    retryAt === null ? 'failed' : 'ready',
    attempts,
    retryAt ?? job.run_at,
    error,
  );
}

async function retry(db: Queries, { jobId, kind, now }: Parameters<JobStore['retry']>[0]): Promise<number> {
  const found = await db.all<{ session_id: string; job_id: string }>(
    `SELECT session_id, job_id FROM jobs
      WHERE state = 'failed' AND ($1::text IS NULL OR job_id = $1) AND ($2::text IS NULL OR kind = $2)
      ORDER BY session_id, job_id LIMIT $3`,
    jobId ?? null,
    kind ?? null,
    RETRIED_AT_ONCE,
  );
  const sessions = [...new Set(found.map((row) => row.session_id))];
  // In order, so that two who do this wait for each other and not in a circle.
  await db.run(
    'SELECT 1 FROM sessions WHERE session_id = ANY($1::text[]) ORDER BY session_id FOR NO KEY UPDATE',
    sessions,
  );
  const picked = [found.map((row) => row.session_id), found.map((row) => row.job_id)] as const;
  // One of each set of twins is made due, unless one waits already.
  const left = await db.run(
    `DELETE FROM jobs USING (
       SELECT session_id, job_id, kind, dedupe_key,
              row_number() OVER (PARTITION BY session_id, kind, dedupe_key ORDER BY job_id) AS nth
         FROM jobs JOIN unnest($1::text[], $2::text[]) AS picked (session_id, job_id) USING (session_id, job_id)
        WHERE state = 'failed') AS failed
     WHERE jobs.session_id = failed.session_id AND jobs.job_id = failed.job_id
       AND (failed.nth > 1 OR EXISTS (SELECT 1 FROM jobs twin WHERE twin.session_id = failed.session_id
         AND twin.kind = failed.kind AND twin.dedupe_key = failed.dedupe_key AND twin.state = 'ready'))`,
    ...picked,
  );
  const due = await db.run(
    `UPDATE jobs SET state = 'ready', attempts = 0, run_at = $3
       FROM unnest($1::text[], $2::text[]) AS picked (session_id, job_id)
      WHERE jobs.session_id = picked.session_id AND jobs.job_id = picked.job_id AND jobs.state = 'failed'`,
    ...picked,
    now,
  );
  return left + due;
}
