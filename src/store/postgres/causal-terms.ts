import { termsOf } from '../packed-terms.ts';
import type { TermCounts } from '../records.ts';
import { noteVersion } from './analyser-version.ts';
import type { Queries } from './queries.ts';

/** Writes the index entries of events that have none, and notes their version. */
export async function indexEvents(
  db: Queries,
  sessionId: string,
  events: readonly { eventNo: number; terms: TermCounts }[],
): Promise<void> {
  const versions = new Map(events.map(({ terms }) => [terms.version ?? 1, terms]));
  for (const terms of versions.values()) await noteVersion(db, sessionId, terms);
  await insertEventTerms(db, sessionId, events);
}

/** Writes the index entries of events that have none. */
export async function insertEventTerms(
  db: Queries,
  sessionId: string,
  events: readonly { eventNo: number; terms: TermCounts }[],
): Promise<void> {
  const rows = events.flatMap(({ eventNo, terms }) =>
    [...termsOf(terms.terms)].map(([term, count]) => ({ eventNo, term, count })),
  );
  if (rows.length === 0) return;
  await db.run(
    `INSERT INTO causal_terms (session_id, term, event_no, count)
     SELECT $1, * FROM unnest($2::text[], $3::bigint[], $4::bigint[])`,
    sessionId,
    rows.map(({ term }) => term),
    rows.map(({ eventNo }) => eventNo),
    rows.map(({ count }) => count),
  );
}

export async function removeEventTerms(db: Queries, sessionId: string, eventNo: number): Promise<void> {
  await db.run('DELETE FROM causal_terms WHERE session_id = $1 AND event_no = $2', sessionId, eventNo);
}
