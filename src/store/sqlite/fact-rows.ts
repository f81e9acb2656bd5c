import type { Database } from 'better-sqlite3';
import type { NewFact } from '../fact-store.ts';
import { termsOf } from '../packed-terms.ts';
import type { TermCounts } from '../records.ts';
import type { FactRow } from '../rows/fact-rows.ts';
import { prepared } from './connection.ts';

export function findFact(database: Database, sessionId: string, factId: string): FactRow | undefined {
  return prepared(
    database,
    `SELECT f.* FROM facts f JOIN sessions s USING (session_id)
      WHERE f.session_id = ? AND f.fact_id = ? AND s.status <> 'importing'`,
  ).get(sessionId, factId) as FactRow | undefined;
}

export function readFact(database: Database, sessionId: string, factNo: number): FactRow {
  return prepared(database, 'SELECT * FROM facts WHERE session_id = ? AND fact_no = ?').get(
    sessionId,
    factNo,
  ) as FactRow;
}

/** Stores a fact as the newest of its session, with its index entries. What it supersedes is not settled here. */
export function insertFact(
  database: Database,
  sessionId: string,
  sessionKey: number,
  fact: NewFact,
  now: number,
): FactRow {
  const factNo = prepared(database, 'SELECT coalesce(max(fact_no), 0) + 1 FROM facts WHERE session_id = ?')
    .pluck()
    .get(sessionId) as number;
  prepared(
    database,
    `INSERT INTO facts (session_id, fact_no, fact_id, subject, attribute, value, text, subject_key, attribute_key,
       value_key, exclusive, valid_from, conversation_id, source_turn_id, author, pinned, version,
       created_at, updated_at)
     VALUES (@sessionId, @factNo, @factId, @subject, @attribute, @value, @text, @subjectKey, @attributeKey,
       @valueKey, @exclusive, @validFrom, @conversationId, @sourceTurnId, @author, @pinned, 1, @now, @now)`,
  ).run({
    sessionId,
    factNo,
    factId: fact.factId,
    subject: fact.subject,
    attribute: fact.attribute,
    value: fact.value,
    text: fact.text,
    subjectKey: fact.subjectKey,
    attributeKey: fact.attributeKey,
    valueKey: fact.valueKey,
    exclusive: Number(fact.exclusive),
    validFrom: fact.validFrom,
    conversationId: fact.conversationId,
    sourceTurnId: fact.sourceTurnId,
    author: fact.author,
    pinned: Number(fact.pinned),
    now,
  });
  indexFact(database, sessionId, sessionKey, factNo, fact.terms);
  return readFact(database, sessionId, factNo);
}

/** Writes the index entries of a fact anew. */
export function indexFact(
  database: Database,
  sessionId: string,
  sessionKey: number,
  factNo: number,
  { terms }: TermCounts,
): void {
  removeFactTerms(database, sessionKey, factNo);
  const insert = prepared(database, 'INSERT INTO fact_terms (session_key, term, fact_no) VALUES (?, ?, ?)');
  const distinct = [...termsOf(terms)];
  for (const [term] of distinct) insert.run(sessionKey, term, factNo);
  prepared(database, 'UPDATE facts SET term_count = ? WHERE session_id = ? AND fact_no = ?').run(
    distinct.length,
    sessionId,
    factNo,
  );
}

export function removeFactTerms(database: Database, sessionKey: number, factNo: number): void {
  prepared(
    database,
    'DELETE FROM fact_terms INDEXED BY fact_terms_by_fact WHERE session_key = ? AND fact_no = ?',
  ).run(sessionKey, factNo);
}
