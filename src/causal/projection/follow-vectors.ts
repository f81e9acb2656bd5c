import type { CausalHead } from '../../store/causal-store.ts';
import type { CausalVectorStore } from '../../store/causal-vector-store.ts';
import type { Duck } from './duckdb.ts';
import { sessionStamp } from './schema.ts';
import { appendVectors, deleteAllVectors, deleteVectors } from './vector-tables.ts';

/** Vectors read at a time: taking in more would hold the event loop for longer than 10 ms. */
const PIECE = 250;

export type FollowedVectors = Pick<CausalVectorStore, 'changesSince'>;

/** The next piece of a session's vectors; whether there is more. As `followOnce` does for events and links. */
export async function followVectorsOnce(
  duck: Duck,
  store: FollowedVectors,
  head: CausalHead,
): Promise<boolean> {
  const stamp = sessionStamp(head.sessionId);
  const key = head.sessionKey;
  const [row] = await duck.rows('SELECT stamp, through FROM vector_heads WHERE session_key = $1', [key]);
  let known = Number(row?.[1] ?? 0);
  if (known === head.changeSeq && (row === undefined || row[0] === stamp)) return false;
  if (row && (row[0] !== stamp || known > head.changeSeq)) {
    await forgetVectors(duck, key);
    known = 0;
  }
  if (head.changeSeq === 0) return false;
  const { vectors, removedEvents, through, more } = await store.changesSince(head.sessionId, known, PIECE);
  await duck.run('BEGIN TRANSACTION');
  try {
    if (known > 0) await deleteVectors(duck, key, [...vectors.nos, ...removedEvents]);
    await appendVectors(duck, key, vectors);
    await duck.run(
      `INSERT INTO vector_heads VALUES ($1, $2, $3)
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

/** Removes what is known of a session's vectors. */
export async function forgetVectors(duck: Duck, sessionKey: number): Promise<void> {
  await duck.run('BEGIN TRANSACTION');
  await deleteAllVectors(duck, sessionKey);
  await duck.run('DELETE FROM vector_heads WHERE session_key = $1', [sessionKey]);
  await duck.run('COMMIT');
}
