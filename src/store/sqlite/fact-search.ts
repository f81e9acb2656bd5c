import type { Database } from 'better-sqlite3';
import type { FactStore, FoundFact } from '../fact-store.ts';
import { prepared } from './connection.ts';
import { factFromRow, readFact, type FactRow } from './fact-rows.ts';

/** Newest entries of a term that are looked at: a word that more facts hold tells next to nothing. */
const MOST_POSTINGS = 4_000;

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
  const { newest } = session;
  const postings = prepared(
    database,
    `SELECT fact_no FROM fact_terms WHERE session_key = ? AND term = ? ORDER BY fact_no DESC LIMIT ${String(MOST_POSTINGS)}`,
  ).pluck();
  const found = new Map<number, { weight: number; terms: number }>();
  let whole = 0;
  for (const term of terms) {
    const numbers = postings.all(session.session_key, term) as number[];
    const weight = Math.log(1 + (newest - numbers.length + 0.5) / (numbers.length + 0.5));
    whole += Math.max(0, weight);
    for (const number of numbers) {
      const before = found.get(number) ?? { weight: 0, terms: 0 };
      found.set(number, { weight: before.weight + Math.max(0, weight), terms: before.terms + 1 });
    }
  }
  const ranked = [...found]
    .sort((a, b) => b[1].weight - a[1].weight || b[0] - a[0])
    .slice(0, limit)
    .map(([number, { weight, terms: held }]) => {
      const row = readFact(database, sessionId, number);
      return {
        row,
        ofQuestion: whole > 0 ? weight / whole : 0,
        ofFact: row.term_count > 0 ? held / row.term_count : 0,
      };
    });
  return withSuccessors(database, ranked);
}

/** What was superseded never comes alone: with it comes what holds now, found as well as it was. */
function withSuccessors(
  database: Database,
  ranked: { row: FactRow; ofQuestion: number; ofFact: number }[],
): FoundFact[] {
  const result = new Map<number, FoundFact>();
  for (const { row, ofQuestion, ofFact } of ranked) {
    const now = row.superseded_by === null ? undefined : standing(database, row);
    for (const each of now ? [now, row] : [row]) {
      const known = result.get(each.fact_no);
      if (known && known.ofQuestion >= ofQuestion) continue;
      result.set(each.fact_no, { fact: factFromRow(each), ofQuestion, ofFact });
    }
  }
  return [...result.values()];
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
  const statement = prepared(
    database,
    `SELECT f.source_turn_id AS turnId, max(f.valid_until) AS at, by.source_turn_id AS byTurnId,
            count(*) AS facts, sum(by.fact_id IS NOT NULL AND by.source_turn_id IS NOT f.source_turn_id) AS replaced
       FROM facts f LEFT JOIN facts by ON by.session_id = f.session_id AND by.fact_id = f.superseded_by
      WHERE f.session_id = ? AND f.source_turn_id = ?`,
  );
  return turnIds.flatMap((turnId) => {
    const row = statement.get(sessionId, turnId) as {
      turnId: string;
      at: number;
      byTurnId: string | null;
      facts: number;
      replaced: number;
    };
    const { at, byTurnId, facts, replaced } = row;
    return facts > 0 && facts === replaced ? [{ turnId, byTurnId, at }] : [];
  });
}
