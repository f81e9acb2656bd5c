import type { Database } from 'better-sqlite3';
import type { FactEnding } from '../fact-store.ts';
import { prepared } from './connection.ts';
import type { FactRow } from './fact-rows.ts';

/** What facts are about: those with the same key stand on one line of time. */
export interface FactKey {
  subjectKey: string;
  attributeKey: string;
}

export function keyOf(row: Pick<FactRow, 'subject_key' | 'attribute_key'>): FactKey {
  return { subjectKey: row.subject_key, attributeKey: row.attribute_key };
}

/** The facts on one line of time, the oldest first; of equal times the one that was stored later counts. */
function line(database: Database, sessionId: string, key: FactKey): FactRow[] {
  return prepared(
    database,
    `SELECT * FROM facts WHERE session_id = @sessionId AND subject_key = @subjectKey
        AND attribute_key = @attributeKey ORDER BY valid_from, fact_no`,
  ).all({ sessionId, ...key }) as FactRow[];
}

/** The fact that says the same and holds at that time; undefined when it is news. */
export function sameFact(
  database: Database,
  sessionId: string,
  key: FactKey & { valueKey: string },
  at: number,
): FactRow | undefined {
  return line(database, sessionId, { subjectKey: key.subjectKey, attributeKey: key.attributeKey }).find(
    (row) =>
      row.value_key === key.valueKey &&
      row.valid_from <= at &&
      (row.valid_until === null || row.valid_until > at),
  );
}

/**
 * Settles until when each fact on a line holds: until somebody said that it is so no more, or until the next exclusive
 * fact that says otherwise began. The whole line is settled from its rows alone, so the order in which they were
 * stored, and by whom, makes no difference. A pin goes over to the fact that holds now.
 */
export function settleLine(database: Database, sessionId: string, key: FactKey): void {
  const rows = line(database, sessionId, key);
  const update = prepared(
    database,
    'UPDATE facts SET valid_until = ?, superseded_by = ? WHERE session_id = ? AND fact_no = ?',
  );
  const move = prepared(database, 'UPDATE facts SET pinned = ? WHERE session_id = ? AND fact_no = ?');
  rows.forEach((row, at) => {
    const next =
      row.exclusive === 1
        ? rows.slice(at + 1).find((other) => other.exclusive === 1 && other.value_key !== row.value_key)
        : undefined;
    const replaced = next !== undefined && (row.ended_at === null || next.valid_from <= row.ended_at);
    const until = replaced ? next.valid_from : row.ended_at;
    const by = replaced ? next.fact_id : null;
    if (until !== row.valid_until || by !== row.superseded_by) {
      update.run(until, by, sessionId, row.fact_no);
    }
    if (replaced && row.pinned === 1) {
      move.run(0, sessionId, row.fact_no);
      move.run(1, sessionId, next.fact_no);
      next.pinned = 1;
    }
  });
}

/** Ends what is so no more. */
export function endFacts(database: Database, sessionId: string, ending: FactEnding, now: number): void {
  const { at, valueKey, ...key } = ending;
  const ended = line(database, sessionId, key).filter(
    (row) =>
      (valueKey === null || row.value_key === valueKey) &&
      row.valid_from <= at &&
      (row.valid_until === null || row.valid_until > at),
  );
  const end = prepared(
    database,
    'UPDATE facts SET ended_at = ?, updated_at = ? WHERE session_id = ? AND fact_no = ?',
  );
  for (const row of ended) end.run(at, now, sessionId, row.fact_no);
  if (ended.length > 0) settleLine(database, sessionId, key);
}
