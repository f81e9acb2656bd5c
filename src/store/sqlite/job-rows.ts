import type { Database } from 'better-sqlite3';
import { newId } from '../../base/ids.ts';
import type { NewJob } from '../records.ts';
import { prepared } from './connection.ts';
import { toJson } from '../json-column.ts';

/**
 * Stores jobs inside the open transaction. A job whose twin (same session, kind and dedupe key) waits already is
 * merged into it: the newer payload, the earlier time; a twin that waits out a failure keeps its time. A twin that
 * is *running* may have read the facts too early, so the job is stored beside it and runs after it.
 */
export function insertJobs(database: Database, sessionId: string, jobs: NewJob[], now: number): void {
  const statement = prepared(
    database,
    `INSERT INTO jobs (session_id, job_id, kind, dedupe_key, payload, state, run_at, created_at)
     VALUES (?, ?, ?, ?, ?, 'ready', ?, ?)
     ON CONFLICT (session_id, kind, dedupe_key) WHERE state = 'ready' DO UPDATE SET
       payload = excluded.payload,
       run_at = CASE WHEN attempts = 0 THEN min(run_at, excluded.run_at) ELSE run_at END`,
  );
  for (const job of jobs) {
    statement.run(sessionId, newId('job'), job.kind, job.dedupeKey, toJson(job.payload), job.runAt, now);
  }
}
