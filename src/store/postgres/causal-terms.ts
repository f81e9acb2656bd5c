import { termsOf } from '../packed-terms.ts';
import type { TermCounts } from '../records.ts';
import type { Queries } from './queries.ts';

/** Writes the index entries of an event that has none. */
export async function insertEventTerms(
  db: Queries,
  sessionId: string,
  eventNo: number,
  { terms }: TermCounts,
): Promise<void> {
  const all = [...termsOf(terms)];
  if (all.length === 0) return;
  await db.run(
    `INSERT INTO causal_terms (session_id, term, event_no, count)
     SELECT $1, term, $2, count FROM unnest($3::text[], $4::bigint[]) AS of (term, count)`,
    sessionId,
    eventNo,
    all.map(([term]) => term),
    all.map(([, count]) => count),
  );
}

export async function removeEventTerms(db: Queries, sessionId: string, eventNo: number): Promise<void> {
  await db.run('DELETE FROM causal_terms WHERE session_id = $1 AND event_no = $2', sessionId, eventNo);
}
