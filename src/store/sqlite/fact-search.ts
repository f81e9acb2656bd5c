import type { Database } from 'better-sqlite3';
import type { FactStore, FoundFact } from '../fact-store.ts';
import { MOST_POSTINGS, rankFacts, withSuccessors, type FactRow } from '../rows/fact-rows.ts';
import { prepared } from './connection.ts';
import { readFact } from './fact-rows.ts';

/** Facts that hold words of a question, best first. A word weighs by how few of the session's facts have it. */
export function searchFacts(
  database: Database,
  { sessionId, terms, limit }: Parameters<FactStore['search']>[0],
): FoundFact[] {
  const session = prepared(
    database,
    `SELECT session_key, (SELECT max(fact_no) FROM facts f WHERE f.session_id = s.session_id) AS newest
       FROM sessions s WHERE session_id = ? AND status <> 'importing'`,
  ).get(sessionId) as { session_key: number; newest: number | null } | undefined;
  if (!session || session.newest === null || terms.length === 0) return [];
  const postings = prepared(
    database,
    `SELECT fact_no FROM fact_terms WHERE session_key = ? AND term = ? ORDER BY fact_no DESC LIMIT ${String(MOST_POSTINGS)}`,
  ).pluck();
  const numbers = terms.map((term) => postings.all(session.session_key, term) as number[]);
  return withSuccessors(
    rankFacts(session.newest, numbers, limit).map((of) => {
      const row = readFact(database, sessionId, of.factNo);
      return { row, standing: row.superseded_by === null ? undefined : standing(database, row), of };
    }),
  );
}

/** The exclusive fact that holds now on the line of one that does not. */
function standing(database: Database, row: FactRow): FactRow | undefined {
  return prepared(
    database,
    `SELECT * FROM facts WHERE session_id = ? AND subject_key = ? AND attribute_key = ?
        AND exclusive = 1 AND valid_until IS NULL ORDER BY valid_from DESC, fact_no DESC LIMIT 1`,
  ).get(row.session_id, row.subject_key, row.attribute_key) as FactRow | undefined;
}

export function outdatedTurns(
  database: Database,
  sessionId: string,
  turnIds: string[],
): { turnId: string; byTurnId: string | null; at: number }[] {
  const rows = prepared(
    database,
    `SELECT f.source_turn_id AS turnId, max(f.valid_until) AS at, by.source_turn_id AS byTurnId,
            count(*) AS facts, sum(by.fact_id IS NOT NULL AND by.source_turn_id IS NOT f.source_turn_id) AS replaced
       FROM json_each(@turnIds) wanted
       CROSS JOIN facts f ON f.session_id = @sessionId AND f.source_turn_id = wanted.value
       LEFT JOIN facts by ON by.session_id = f.session_id AND by.fact_id = f.superseded_by
      GROUP BY wanted.key HAVING facts = replaced ORDER BY wanted.key`,
  ).all({ sessionId, turnIds: JSON.stringify(turnIds) }) as {
    turnId: string;
    at: number;
    byTurnId: string | null;
  }[];
  return rows.map(({ turnId, at, byTurnId }) => ({ turnId, byTurnId, at }));
}
