import type { FactEnding } from '../fact-store.ts';
import { endedOn, sameOn, settled, type FactKey, type FactRow } from '../rows/fact-rows.ts';
import type { Queries } from './queries.ts';

/** The facts on one line of time, the oldest first; of equal times the one that was stored later counts. */
function line(db: Queries, sessionId: string, { subjectKey, attributeKey }: FactKey): Promise<FactRow[]> {
  return db.all<FactRow>(
    `SELECT * FROM facts WHERE session_id = $1 AND subject_key = $2 AND attribute_key = $3
      ORDER BY valid_from, fact_no`,
    sessionId,
    subjectKey,
    attributeKey,
  );
}

/** The fact that says the same and holds at that time; undefined when it is news. */
export async function sameFact(
  db: Queries,
  sessionId: string,
  key: FactKey & { valueKey: string },
  at: number,
): Promise<FactRow | undefined> {
  return sameOn(await line(db, sessionId, key), key.valueKey, at);
}

/** Settles until when each fact on a line holds. */
export async function settleLine(db: Queries, sessionId: string, key: FactKey): Promise<void> {
  const changed = settled(await line(db, sessionId, key));
  if (changed.length === 0) return;
  await db.run(
    `UPDATE facts f SET valid_until = now.until, superseded_by = now.by, pinned = now.pinned
       FROM unnest($2::bigint[], $3::bigint[], $4::text[], $5::smallint[]) AS now (fact_no, until, by, pinned)
      WHERE f.session_id = $1 AND f.fact_no = now.fact_no`,
    sessionId,
    changed.map(({ factNo }) => factNo),
    changed.map(({ until }) => until),
    changed.map(({ by }) => by),
    changed.map(({ pinned }) => pinned),
  );
}

/** Ends what is so no more. */
export async function endFacts(
  db: Queries,
  sessionId: string,
  ending: FactEnding,
  now: number,
): Promise<void> {
  const ended = endedOn(await line(db, sessionId, ending), ending);
  if (ended.length === 0) return;
  await db.run(
    `UPDATE facts SET ended_at = $3, updated_at = $4 WHERE session_id = $1 AND fact_no = ANY($2::bigint[])`,
    sessionId,
    ended.map((row) => row.fact_no),
    ending.at,
    now,
  );
  await settleLine(db, sessionId, ending);
}
