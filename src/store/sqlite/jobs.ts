import type { Database } from 'better-sqlite3';
import type { JobStore } from '../memory-dal.ts';
import type { JobRecord } from '../records.ts';
import { prepared } from './connection.ts';
import { decodeCursor, encodeCursor, pageOf } from '../cursor.ts';
import { FURTHEST_AHEAD_MS, jobFromRow, RETRIED_AT_ONCE, type JobRow } from '../rows/job-rows.ts';
import { insertJobs } from './job-rows.ts';
import type { StoreModule } from './store-module.ts';
import { requireSession } from './turn-rows.ts';

/** A waiting job whose twin is running has to wait for it. */
const NO_TWIN_RUNS = `NOT EXISTS (SELECT 1 FROM jobs twin WHERE twin.session_id = jobs.session_id
  AND twin.kind = jobs.kind AND twin.dedupe_key = jobs.dedupe_key AND twin.state = 'running')`;

export const jobsModule: StoreModule<JobStore> = {
  writes: ['enqueue', 'claim', 'renew', 'complete', 'fail', 'retry'],
  // A job that was claimed or ended just before the power went is taken up once more: handlers are made for that.
  repeatable: ['claim', 'renew', 'complete', 'fail'],
  create: (database) => ({
    enqueue: (sessionId, jobs, now) => {
      requireSession(database, sessionId);
      insertJobs(database, sessionId, jobs, now);
    },
    claim: (input) => claim(database, input),
    renew: ({ sessionId, jobId, attempts, leaseUntil }) =>
      prepared(
        database,
        `UPDATE jobs SET lease_until = ?
          WHERE session_id = ? AND job_id = ? AND state = 'running' AND attempts = ?`,
      ).run(leaseUntil, sessionId, jobId, attempts).changes > 0,
    complete: (sessionId, jobId) => {
      prepared(database, 'DELETE FROM jobs WHERE session_id = ? AND job_id = ?').run(sessionId, jobId);
    },
    fail: (input) => fail(database, input),
    failed: ({ limit, cursor }) => {
      const after = cursor === null ? ['', ''] : decodeCursor(cursor, ['string', 'string']);
      const rows = prepared(
        database,
        `SELECT * FROM jobs WHERE state = 'failed' AND (session_id, job_id) > (?, ?)
          ORDER BY session_id, job_id LIMIT +?`,
      ).all(...after, limit + 1) as JobRow[];
      return pageOf(rows, limit, jobFromRow, (row) => encodeCursor([row.session_id, row.job_id]));
    },
    retry: (input) => retry(database, input),
    counts: () =>
      prepared(
        database,
        'SELECT kind, state, count(*) AS count FROM jobs GROUP BY kind, state ORDER BY kind, state',
      ).all() as { kind: string; state: JobRecord['state']; count: number }[],
    nextDue: (kinds) => {
      let earliest: number | null = null;
      for (const kind of kinds) {
        const due = prepared(
          database,
          `SELECT min(due) FROM (
             SELECT (SELECT run_at FROM jobs WHERE kind = @kind AND state = 'ready' AND ${NO_TWIN_RUNS}
                      ORDER BY run_at LIMIT 1) AS due
             UNION ALL SELECT min(lease_until) FROM jobs WHERE kind = @kind AND state = 'running')`,
        )
          .pluck()
          .get({ kind }) as number | null;
        if (due !== null && (earliest === null || due < earliest)) earliest = due;
      }
      return earliest;
    },
  }),
};

function claim(
  database: Database,
  { kinds, limit, leaseMs, now }: Parameters<JobStore['claim']>[0],
): JobRecord[] {
  const due: Pick<JobRow, 'session_id' | 'job_id' | 'run_at'>[] = [];
  const tooFar = now + FURTHEST_AHEAD_MS;
  for (const kind of kinds) {
    for (const time of ['run_at <= @now', 'run_at > @tooFar']) {
      due.push(
        ...(prepared(
          database,
          `SELECT session_id, job_id, run_at FROM jobs WHERE kind = @kind AND state = 'ready' AND ${time}
              AND ${NO_TWIN_RUNS} ORDER BY run_at LIMIT +@limit`,
        ).all({ kind, now, tooFar, limit }) as typeof due),
      );
    }
    for (const time of ['lease_until <= @now', 'lease_until > @tooFar']) {
      due.push(
        ...(prepared(
          database,
          `SELECT session_id, job_id, run_at FROM jobs WHERE kind = @kind AND state = 'running' AND ${time}
            ORDER BY lease_until LIMIT +@limit`,
        ).all({ kind, now, tooFar, limit }) as typeof due),
      );
    }
  }
  due.sort((a, b) => a.run_at - b.run_at);
  return due.slice(0, limit).map((job) => {
    const row = prepared(
      database,
      `UPDATE jobs SET state = 'running', attempts = attempts + 1, lease_until = ?
        WHERE session_id = ? AND job_id = ? RETURNING *`,
    ).get(now + leaseMs, job.session_id, job.job_id) as JobRow;
    return jobFromRow(row);
  });
}

function fail(
  database: Database,
  { sessionId, jobId, error, retryAt, counts }: Parameters<JobStore['fail']>[0],
): void {
  const job = prepared(
    database,
    `SELECT * FROM jobs WHERE session_id = ? AND job_id = ? AND state = 'running'`,
  ).get(sessionId, jobId) as JobRow | undefined;
  if (!job) return;
  const attempts = counts ? job.attempts : job.attempts - 1;
  if (retryAt !== null) {
    // A twin that was stored meanwhile does the work of both, with the patience that the failure asks for.
    const merged = prepared(
      database,
      `UPDATE jobs SET attempts = ?, run_at = max(run_at, ?), last_error = ?
        WHERE session_id = ? AND kind = ? AND dedupe_key = ? AND state = 'ready'`,
    ).run(attempts, retryAt, error, sessionId, job.kind, job.dedupe_key);
    if (merged.changes > 0) {
      prepared(database, 'DELETE FROM jobs WHERE session_id = ? AND job_id = ?').run(sessionId, jobId);
      return;
    }
  }
  prepared(
    database,
    `UPDATE jobs SET state = ?, attempts = ?, run_at = ?, lease_until = NULL, last_error = ? WHERE session_id = ? AND job_id = ?`,
  ).run(retryAt === null ? 'failed' : 'ready', attempts, retryAt ?? job.run_at, error, sessionId, jobId);
}

function retry(database: Database, { jobId, kind, now }: Parameters<JobStore['retry']>[0]): number {
  const rows = prepared(
    database,
    `SELECT session_id, job_id, kind, dedupe_key FROM jobs
      WHERE state = 'failed' AND (@jobId IS NULL OR job_id = @jobId) AND (@kind IS NULL OR kind = @kind) LIMIT +@limit`,
  ).all({ jobId: jobId ?? null, kind: kind ?? null, limit: RETRIED_AT_ONCE }) as Pick<
    JobRow,
    'session_id' | 'job_id' | 'kind' | 'dedupe_key'
  >[];
  for (const row of rows) {
    const twin = prepared(
      database,
      `SELECT 1 FROM jobs WHERE session_id = @session_id AND kind = @kind AND dedupe_key = @dedupe_key
        AND state = 'ready'`,
    ).get(row);
    const sql = twin
      ? 'DELETE FROM jobs WHERE session_id = @session_id AND job_id = @job_id'
      : `UPDATE jobs SET state = 'ready', attempts = 0, run_at = @now
          WHERE session_id = @session_id AND job_id = @job_id`;
    prepared(database, sql).run(twin ? row : { ...row, now });
  }
  return rows.length;
}
