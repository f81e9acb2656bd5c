import type { ActivityHead, ActivityStore } from '../../store/activity-store.ts';
import type { Duck } from './duckdb.ts';
import { sessionStamp } from './schema.ts';

/** Cycles and answers read at a time. */
const PIECE = 2_000;

/** The next piece of a session's cycles and calls; whether there is more. As `followOnce` does for causes. */
export async function followActivityOnce(
  duck: Duck,
  store: ActivityStore,
  head: ActivityHead,
): Promise<boolean> {
  const stamp = sessionStamp(head.sessionId);
  const key = head.sessionKey;
  const [row] = await duck.rows('SELECT stamp, through FROM activity_heads WHERE session_key = $1', [key]);
  let known = Number(row?.[1] ?? 0);
  if (known === head.changeSeq && (row === undefined || row[0] === stamp)) return false;
  if (row && (row[0] !== stamp || known > head.changeSeq)) {
    await forgetActivity(duck, key);
    known = 0;
  }
  if (head.changeSeq === 0) return false;
  const { cycles, calls, changed, through, more } = await store.changesSince(head.sessionId, known, PIECE);
  await duck.run('BEGIN TRANSACTION');
  try {
    if (known > 0 && changed.length > 0) {
      for (const table of ['cycles', 'calls']) {
        // Numbers only: there is nothing to escape.
        await duck.run(
          `DELETE FROM ${table} WHERE session_key = ${String(key)} AND activity_no IN (${changed.join()})`,
        );
      }
    }
    await duck.append('cycles', cycles.length, [
      { type: 'integer', values: key },
      { type: 'integer', values: cycles.map(({ activityNo }) => activityNo) },
      { type: 'varchar', values: cycles.map(({ outcome }) => outcome ?? '') },
      { type: 'integer', values: cycles.map(({ rounds }) => rounds) },
      { type: 'bigint', values: cycles.map(({ workedMs }) => workedMs) },
      { type: 'bigint', values: cycles.map(({ createdAt }) => createdAt) },
      { type: 'bigint', values: cycles.map(({ updatedAt }) => updatedAt) },
    ]);
    await duck.append('calls', calls.length, [
      { type: 'integer', values: key },
      { type: 'integer', values: calls.map(({ activityNo }) => activityNo) },
      { type: 'varchar', values: calls.map(({ agent }) => agent) },
      { type: 'bigint', values: calls.map(({ at }) => at) },
      { type: 'integer', values: calls.map(({ promptTokens }) => promptTokens) },
      { type: 'integer', values: calls.map(({ completionTokens }) => completionTokens) },
      { type: 'integer', values: calls.map(({ totalTokens }) => totalTokens) },
    ]);
    await duck.run(
      `INSERT INTO activity_heads VALUES ($1, $2, $3)
       ON CONFLICT (session_key) DO UPDATE SET through = excluded.through`,
      [key, BigInt(stamp), BigInt(through)],
    );
    await duck.run('COMMIT');
  } catch (error) {
    await duck.run('ROLLBACK').catch(() => undefined);
    throw error;
  }
  return more;
}

/** Removes what is known of a session's cycles and calls. */
export async function forgetActivity(duck: Duck, sessionKey: number): Promise<void> {
  await duck.run('BEGIN TRANSACTION');
  for (const table of ['cycles', 'calls', 'activity_heads']) {
    await duck.run(`DELETE FROM ${table} WHERE session_key = $1`, [sessionKey]);
  }
  await duck.run('COMMIT');
}
