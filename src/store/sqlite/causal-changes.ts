import type { Database } from 'better-sqlite3';
import type { CausalChanges } from '../causal-store.ts';
import { packChanges, type ChangeRow } from '../rows/causal-changes.ts';
import { prepared } from './connection.ts';

/**
 * The changes of a session after a watermark. Each kind is read up to `limit` rows; `through` is the last change before
 * which nothing was left out.
 */
export function readChanges(
  database: Database,
  sessionId: string,
  after: number,
  limit: number,
): CausalChanges {
  const watermark =
    (prepared(database, 'SELECT change_seq FROM causal_heads WHERE session_id = ?').pluck().get(sessionId) as
      number | undefined) ?? 0;
  const rows = (select: string) => rowsAfter(database, select, { sessionId, after, limit });
  const events = rows('SELECT change_seq, event_no, happened_at FROM causal_events');
  const links = rows(
    'SELECT change_seq, cause_no, effect_no, relation, confidence, judged_by FROM causal_links',
  );
  const removals = rows('SELECT change_seq, cause_no, effect_no FROM causal_removals');
  return packChanges({ events, links, removals, watermark, limit });
}

function rowsAfter(
  database: Database,
  select: string,
  { sessionId, after, limit }: { sessionId: string; after: number; limit: number },
): ChangeRow[] {
  return prepared(database, `${select} WHERE session_id = ? AND change_seq > ? ORDER BY change_seq LIMIT +?`)
    .raw()
    .all(sessionId, after, limit) as ChangeRow[];
}
