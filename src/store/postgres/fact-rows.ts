import type { NewFact } from '../fact-store.ts';
import { termsOf } from '../packed-terms.ts';
import type { TermCounts } from '../records.ts';
import type { FactRow } from '../rows/fact-rows.ts';
import type { Queries } from './queries.ts';

export function findFact(db: Queries, sessionId: string, factId: string): Promise<FactRow | undefined> {
  return db.get<FactRow>(
    `SELECT f.* FROM facts f JOIN sessions s USING (session_id)
      WHERE session_id = $1 AND f.fact_id = $2 AND s.status <> 'importing'`,
    sessionId,
    factId,
  );
}

/** Those of these numbers that there are, by number. */
export async function readFacts(
  db: Queries,
  sessionId: string,
  factNos: readonly number[],
): Promise<Map<number, FactRow>> {
  const rows = await db.all<FactRow>(
    'SELECT * FROM facts WHERE session_id = $1 AND fact_no = ANY($2::bigint[])',
    sessionId,
    factNos,
  );
  return new Map(rows.map((row) => [row.fact_no, row]));
}

/** Stores a fact as the newest of its session, with its index entries. What it supersedes is not settled here. */
export async function insertFact(
  db: Queries,
  sessionId: string,
  fact: NewFact,
  now: number,
): Promise<FactRow> {
  const row = await db.get<FactRow>(
    `INSERT INTO facts (session_id, fact_no, fact_id, subject, attribute, value, text, subject_key, attribute_key,
       value_key, exclusive, valid_from, conversation_id, source_turn_id, author, pinned, version, created_at, updated_at)
     VALUES ($1, (SELECT coalesce(max(fact_no), 0) + 1 FROM facts WHERE session_id = $1), $2, $3, $4, $5, $6, $7, $8,
       $9, $10, $11, $12, $13, $14, $15, 1, $16, $16) RETURNING *`,
    sessionId,
    fact.factId,
    fact.subject,
    fact.attribute,
    fact.value,
    fact.text,
    fact.subjectKey,
    fact.attributeKey,
    fact.valueKey,
    Number(fact.exclusive),
    fact.validFrom,
    fact.conversationId,
    fact.sourceTurnId,
    fact.author,
    Number(fact.pinned),
    now,
  );
  const stored = row as FactRow;
  await indexFact(db, sessionId, stored.fact_no, fact.terms);
  return stored;
}

/** Writes the index entries of a fact anew. */
export async function indexFact(
  db: Queries,
  sessionId: string,
  factNo: number,
  { terms }: TermCounts,
): Promise<void> {
  await removeFactTerms(db, sessionId, factNo);
  const distinct = [...termsOf(terms)].map(([term]) => term);
  await db.run(
    `INSERT INTO fact_terms (session_id, term, fact_no) SELECT $1, term, $3 FROM unnest($2::text[]) AS of (term)`,
    sessionId,
    distinct,
    factNo,
  );
  await db.run(
    'UPDATE facts SET term_count = $3 WHERE session_id = $1 AND fact_no = $2',
    sessionId,
    factNo,
    distinct.length,
  );
}

export async function removeFactTerms(db: Queries, sessionId: string, factNo: number): Promise<void> {
  await db.run('DELETE FROM fact_terms WHERE session_id = $1 AND fact_no = $2', sessionId, factNo);
}
