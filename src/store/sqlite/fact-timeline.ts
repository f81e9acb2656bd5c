import type { Database } from 'better-sqlite3';
import type { FactEnding } from '../fact-store.ts';
import { endedOn, sameOn, settled, type FactKey, type FactRow } from '../rows/fact-rows.ts';
import { prepared } from './connection.ts';

/** The facts on one line of time, the oldest first; of equal times the one that was stored later counts. */
function line(database: Database, sessionId: string, { subjectKey, attributeKey }: FactKey): FactRow[] {
  return prepared(
    database,
    `SELECT * FROM facts WHERE session_id = ? AND subject_key = ? AND attribute_key = ?
      ORDER BY valid_from, fact_no`,
  ).all(sessionId, subjectKey, attributeKey) as FactRow[];
}

/** The fact that says the same and holds at that time; undefined when it is news. */
export function sameFact(
  database: Database,
  sessionId: string,
  key: FactKey & { valueKey: string },
  at: number,
): FactRow | undefined {
  return sameOn(line(database, sessionId, key), key.valueKey, at);
}

/** Settles until when each fact on a line holds. */
export function settleLine(database: Database, sessionId: string, key: FactKey): void {
  const update = prepared(
    database,
    'UPDATE facts SET valid_until = ?, superseded_by = ?, pinned = ? WHERE session_id = ? AND fact_no = ?',
  );
  for (const { factNo, until, by, pinned } of settled(line(database, sessionId, key))) {
    update.run(until, by, pinned, sessionId, factNo);
  }
}

/** Ends what is so no more. */
export function endFacts(database: Database, sessionId: string, ending: FactEnding, now: number): void {
  const ended = endedOn(line(database, sessionId, ending), ending);
  const end = prepared(
    database,
    'UPDATE facts SET ended_at = ?, updated_at = ? WHERE session_id = ? AND fact_no = ?',
  );
  for (const row of ended) end.run(ending.at, now, sessionId, row.fact_no);
  if (ended.length > 0) settleLine(database, sessionId, ending);
}
