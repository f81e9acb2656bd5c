import type { FactStore, FoundFact } from '../fact-store.ts';
import { MOST_POSTINGS, rankFacts, withSuccessors, type FactRow } from '../rows/fact-rows.ts';
import { readFacts } from './fact-rows.ts';
import type { Queries } from './queries.ts';

/** Facts that hold words of a question, best first. */
export async function searchFacts(
  db: Queries,
  { sessionId, terms, limit }: Parameters<FactStore['search']>[0],
): Promise<FoundFact[]> {
  const newest = await db.value<number | null>(
    `SELECT (SELECT max(fact_no) FROM facts f WHERE f.session_id = s.session_id)
       FROM sessions s WHERE session_id = $1 AND status <> 'importing'`,
    sessionId,
  );
  if (newest === undefined || newest === null || terms.length === 0) return [];
  const postings = await db.all<{ term: string; numbers: number[] }>(
    `SELECT asked.term, array_agg(found.fact_no::double precision ORDER BY found.fact_no DESC) AS numbers
       FROM unnest($2::text[]) AS asked (term), LATERAL (
         SELECT fact_no FROM fact_terms t WHERE t.session_id = $1 AND t.term = asked.term
          ORDER BY fact_no DESC LIMIT ${String(MOST_POSTINGS)}) AS found
      GROUP BY asked.term`,
    sessionId,
    [...new Set(terms)],
  );
  const numbers = new Map(postings.map((row) => [row.term, row.numbers]));
  const ranked = rankFacts(
    newest,
    terms.map((term) => numbers.get(term) ?? []),
    limit,
  );
  const rows = await readFacts(
    db,
    sessionId,
    ranked.map(({ factNo }) => factNo),
  );
  const standing = await standingOf(db, sessionId, [...rows.values()]);
  return withSuccessors(
    ranked.flatMap((of) => {
      const row = rows.get(of.factNo);
      return row ? [{ row, standing: standing.get(row.fact_no), of }] : [];
    }),
  );
}

/** For each fact that was superseded the exclusive one that holds now on its line. */
async function standingOf(
  db: Queries,
  sessionId: string,
  rows: readonly FactRow[],
): Promise<Map<number, FactRow>> {
  const gone = rows.filter((row) => row.superseded_by !== null);
  if (gone.length === 0) return new Map();
  const found = await db.all<FactRow & { of_no: number }>(
    `SELECT now.*, gone.of_no FROM unnest($2::bigint[], $3::text[], $4::text[]) AS gone (of_no, subject_key, attribute_key),
       LATERAL (SELECT * FROM facts f WHERE f.session_id = $1 AND f.subject_key = gone.subject_key
           AND f.attribute_key = gone.attribute_key AND f.exclusive = 1 AND f.valid_until IS NULL
         ORDER BY f.valid_from DESC, f.fact_no DESC LIMIT 1) AS now`,
    sessionId,
    gone.map((row) => row.fact_no),
    gone.map((row) => row.subject_key),
    gone.map((row) => row.attribute_key),
  );
  return new Map(found.map((row) => [row.of_no, row]));
}

export async function outdatedTurns(
  db: Queries,
  sessionId: string,
  turnIds: string[],
): ReturnType<FactStore['outdatedTurns']> {
  const rows = await db.all<{ turnId: string; byTurnId: string | null; at: number }>(
    `SELECT f.source_turn_id AS "turnId", max(f.valid_until) AS at,
            (array_agg(by.source_turn_id ORDER BY f.valid_until DESC NULLS LAST, f.fact_no))[1] AS "byTurnId"
       FROM facts f LEFT JOIN facts by ON by.session_id = f.session_id AND by.fact_id = f.superseded_by
      WHERE f.session_id = $1 AND f.source_turn_id = ANY($2::text[])
      GROUP BY f.source_turn_id
     HAVING count(*) = count(*) FILTER (
       WHERE by.fact_id IS NOT NULL AND by.source_turn_id IS DISTINCT FROM f.source_turn_id)`,
    sessionId,
    turnIds,
  );
  const found = new Map(rows.map((row) => [row.turnId, row]));
  return turnIds.flatMap((turnId) => found.get(turnId) ?? []);
}
