import { fromJson } from '../json-column.ts';
import type { JobRecord } from '../records.ts';

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
 * A time that lies further ahead was written while the clock was wrong: nothing is put off for longer than a quarter of an
 * hour, and no lease is longer. Such a job is due.
 */
export const FURTHEST_AHEAD_MS = 60 * 60_000;

/** Failed jobs that are made due in one transaction: enough for a person, and soon done. */
export const RETRIED_AT_ONCE = 1_000;
