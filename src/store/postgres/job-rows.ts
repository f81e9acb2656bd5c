import { newId } from '../../base/ids.ts';
import { toJson } from '../json-column.ts';
import type { NewJob } from '../records.ts';
import type { Queries } from './queries.ts';

/**
 * Stores jobs inside the open transaction, whoever has the session's lock. A job whose twin (same session, kind and dedupe
 * key) waits already is merged into it: the newer payload, the earlier time; a twin that waits out a failure keeps its
 * time. A twin that is *running* may have read the facts too early, so the job is stored beside it and runs after it.
 */
export async function insertJobs(
  db: Queries,
  sessionId: string,
  jobs: readonly NewJob[],
  now: number,
): Promise<void> {
  // One statement each: two jobs of one list may be twins, and a statement cannot write a row twice.
  for (const job of jobs) {
    await db.run(
      `INSERT INTO jobs (session_id, job_id, kind, dedupe_key, payload, state, run_at, created_at)
       VALUES ($1, $2, $3, $4, $5, 'ready', $6, $7)
       ON CONFLICT (session_id, kind, dedupe_key) WHERE state = 'ready' DO UPDATE SET
         payload = excluded.payload,
         run_at = CASE WHEN jobs.attempts = 0 THEN least(jobs.run_at, excluded.run_at) ELSE jobs.run_at END`,
      sessionId,
      newId('job'),
      job.kind,
      job.dedupeKey,
      toJson(job.payload),
      job.runAt,
      now,
    );
  }
}
