import { toJson } from '../json-column.ts';
import type { SessionBelongings, StoredIdempotencyKey } from '../transfer-store.ts';
import { jobFromRow, type JobRow } from './job-rows.ts';

export interface IdempotencyRow {
  session_id: string;
  key: string;
  request_hash: string;
  conversation_id: string;
  first_turn_number: number;
  turn_count: number;
  created_at: number;
}

export function belongingsFromRows(
  tokenHash: string,
  jobs: readonly JobRow[],
  keys: readonly IdempotencyRow[],
): SessionBelongings {
  return {
    tokenHash,
    jobs: jobs.map((row) => ({ ...jobFromRow(row), dedupeKey: row.dedupe_key })),
    idempotencyKeys: keys.map((row): StoredIdempotencyKey => ({
      key: row.key,
      requestHash: row.request_hash,
      conversationId: row.conversation_id,
      firstTurnNumber: row.first_turn_number,
      turnCount: row.turn_count,
      createdAt: row.created_at,
    })),
  };
}

/** The values of a job's row, in the order of `JOB_COLUMNS`. Nobody runs it here yet. */
export function jobValues(job: SessionBelongings['jobs'][number]): (string | number | null)[] {
  return [
    job.jobId,
    job.kind,
    job.dedupeKey,
    toJson(job.payload),
    job.state === 'failed' ? 'failed' : 'ready',
    job.attempts,
    job.runAt,
    job.lastError,
    job.createdAt,
  ];
}
export const JOB_COLUMNS =
  'job_id, kind, dedupe_key, payload, state, attempts, run_at, last_error, created_at';

/** The values of a key's row, in the order of `KEY_COLUMNS`. */
export function keyValues(key: StoredIdempotencyKey): (string | number)[] {
  return [key.key, key.requestHash, key.conversationId, key.firstTurnNumber, key.turnCount, key.createdAt];
}
export const KEY_COLUMNS = 'key, request_hash, conversation_id, first_turn_number, turn_count, created_at';
