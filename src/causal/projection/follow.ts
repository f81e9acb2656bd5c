import type { CausalHead, CausalStore } from '../../store/causal-store.ts';
import type { Duck } from './duckdb.ts';
import { sessionStamp } from './schema.ts';

/** Changes of each kind read at a time: a long session is taken in piece by piece, and others are served between. */
const PIECE = 10_000;

export type FollowedStore = Pick<CausalStore, 'head' | 'heads' | 'changesSince' | 'counts'>;

interface Followed {
  through: number;
  lastEventNo: number;
}

/**
 * Takes in the next piece of what the record has and the projection has not. Returns what was added to the watermark
 * and whether there is more. A projection that knows more than the record (an older backup was put back), or a
 * session of another record under the same key, is forgotten first.
 */
export async function followOnce(
  duck: Duck,
  store: FollowedStore,
  head: CausalHead,
): Promise<{ gained: number; more: boolean }> {
  const stamp = sessionStamp(head.sessionId);
  const [row] = await duck.rows('SELECT stamp, through, last_event_no FROM heads WHERE session_key = $1', [
    head.sessionKey,
  ]);
  let known: Followed = { through: Number(row?.[1] ?? 0), lastEventNo: Number(row?.[2] ?? 0) };
  if (known.through === head.changeSeq && row?.[0] === stamp) return { gained: 0, more: false };
  let lost = 0;
  if (row && (row[0] !== stamp || known.through > head.changeSeq)) {
    await forget(duck, head.sessionKey);
    lost = known.through;
    known = { through: 0, lastEventNo: 0 };
  }
  if (head.changeSeq === 0) return { gained: -lost, more: false };
  const changes = await store.changesSince(head.sessionId, known.through, PIECE);
  const { events, links, removedEvents, removedLinks, through, more } = changes;
  const key = head.sessionKey;
  await duck.run('BEGIN TRANSACTION');
  try {
    if (known.through > 0) {
      const changed = [...events.nos].filter((no) => no <= known.lastEventNo);
      await deleteEvents(duck, key, [...changed, ...removedEvents]);
      await deleteLinks(duck, key, links.causes, links.effects);
      await deleteLinks(duck, key, removedLinks.causes, removedLinks.effects);
    }
    await duck.append('events', events.nos.length, [
      { type: 'integer', values: key },
      { type: 'integer', values: events.nos },
      { type: 'bigint', values: events.happenedAt },
    ]);
    await duck.append('links', links.causes.length, [
      { type: 'integer', values: key },
      { type: 'integer', values: links.causes },
      { type: 'integer', values: links.effects },
      { type: 'utinyint', values: links.relations },
      { type: 'double', values: links.confidences },
      { type: 'utinyint', values: links.judges },
    ]);
    const lastEventNo = events.nos.reduce((most, no) => Math.max(most, no), known.lastEventNo);
    await duck.run(
      `INSERT INTO heads VALUES ($1, $2, $3, $4)
       ON CONFLICT (session_key) DO UPDATE SET through = excluded.through, last_event_no = excluded.last_event_no`,
      [key, BigInt(stamp), BigInt(through), lastEventNo],
    );
    await duck.run('COMMIT');
  } catch (error) {
    await duck.run('ROLLBACK').catch(() => undefined);
    throw error;
  }
  return { gained: through - known.through - lost, more };
}

/** Removes a session's rows; the number of changes that were known of it. */
export async function forget(duck: Duck, sessionKey: number): Promise<number> {
  const [row] = await duck.rows('SELECT through FROM heads WHERE session_key = $1', [sessionKey]);
  await duck.run('BEGIN TRANSACTION');
  for (const table of ['events', 'links', 'heads']) {
    await duck.run(`DELETE FROM ${table} WHERE session_key = $1`, [sessionKey]);
  }
  await duck.run('COMMIT');
  return Number(row?.[0] ?? 0);
}

/** Numbers only: there is nothing to escape. */
async function deleteEvents(duck: Duck, key: number, eventNos: number[]): Promise<void> {
  if (eventNos.length === 0) return;
  await duck.run(
    `DELETE FROM events WHERE session_key = ${String(key)} AND event_no IN (${eventNos.join()})`,
  );
}

async function deleteLinks(duck: Duck, key: number, causes: Int32Array, effects: Int32Array): Promise<void> {
  if (causes.length === 0) return;
  const pairs = Array.from(causes, (cause, at) => `(${String(cause)},${String(effects[at] ?? 0)})`);
  await duck.run(
    `DELETE FROM links WHERE session_key = ${String(key)} AND (cause_no, effect_no) IN (VALUES ${pairs.join()})`,
  );
}
