import type { Database } from 'better-sqlite3';
import { newId } from '../../base/ids.ts';
import type { JobRecord, NewJob } from '../records.ts';
import { prepared } from './connection.ts';
import { fromJson, toJson } from '../json-column.ts';

export interface JobRow {
  session_id: string;
  job_id: string;
  kind: string;
  dedupe_key: string;
  payload: string;
  state: JobRecord['state'];
  attempts: number;
  run_at: number;
  lease_until: number | null;
  last_error: string | null;
  created_at: number;
}

export function jobFromRow(row: JobRow): JobRecord {
  return {
    sessionId: row.session_id,
    jobId: row.job_id,
    kind: row.kind,
    payload: fromJson(row.payload),
    attempts: row.attempts,
    runAt: row.run_at,
    state: row.state,
    lastError: row.last_error,
    createdAt: row.created_at,
  };
}

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
