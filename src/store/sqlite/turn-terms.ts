import type { Database } from 'better-sqlite3';
import { termsOf } from '../packed-terms.ts';
import type { TermCounts } from '../records.ts';
import { packedPosting, packPosting } from '../rows/postings.ts';
import { prepared } from './connection.ts';
import { beginEpoch } from './turn-blocks.ts';

/**
 * So many terms of a session wait before they are taken over into the index. Each of an index of megabytes would touch a page
 * of its own; a thousand in order share theirs. More would make the one who has to wait for it wait longer (5 ms).
 */
const MOST_RECENT = 2_000;
/** A turn of more terms goes into the index at once: it would be the reason for taking over all the others. */
const MOST_OF_A_TURN = 500;

/** Where a turn is. */
interface Place {
  sessionKey: number;
  conversationOrdinal: number;
  turnNumber: number;
}

/** A row of `recent_turn_terms`. */
type RecentRow = [
  conversationOrdinal: number,
  turnNumber: number,
  analyserVersion: number,
  terms: string,
  counts: Buffer,
];

/**
 * Keeps where the terms of a new turn occur.
 * @param version of the session's index, as it is with this turn
 */
export function insertTerms(database: Database, place: Place, terms: TermCounts, version: number): void {
  const list = [...termsOf(terms.terms)];
  if (list.length === 0) return;
  if (list.length > MOST_OF_A_TURN) {
    insertAtOnce(database, place, list, terms.version ?? 1);
    return;
  }
  prepared(
    database,
    `INSERT INTO recent_turn_terms
       (session_key, version, conversation_ordinal, turn_number, analyser_version, terms, counts)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
  ).run(
    place.sessionKey,
    version,
    place.conversationOrdinal,
    place.turnNumber,
    terms.version ?? 1,
    list.map(([term]) => term).join('\n'),
    packCounts(list),
  );
  const waiting = prepared(
    database,
    'UPDATE turn_index_versions SET recent_terms = recent_terms + ? WHERE session_key = ? RETURNING recent_terms',
  )
    .pluck()
    .get(list.length, place.sessionKey) as number;
  if (waiting >= MOST_RECENT) takeOverTerms(database, place.sessionKey);
}

function insertAtOnce(
  database: Database,
  { sessionKey, conversationOrdinal, turnNumber }: Place,
  terms: readonly [term: string, count: number][],
  analyserVersion: number,
): void {
  const insert = prepared(
    database,
    `INSERT INTO turn_terms (session_key, term, conversation_ordinal, turn_number, count, version)
     VALUES (?, ?, ?, ?, ?, ?)`,
  );
  for (const [term, count] of terms) {
    insert.run(sessionKey, term, conversationOrdinal, turnNumber, count, analyserVersion);
  }
}

/** Takes all terms of the session that wait over into the index. */
export function takeOverTerms(database: Database, sessionKey: number): void {
  const rows = prepared(
    database,
    `SELECT conversation_ordinal, turn_number, analyser_version, terms, counts FROM recent_turn_terms
      WHERE session_key = ?`,
  )
    .raw()
    .all(sessionKey) as RecentRow[];
  if (rows.length === 0) return;
  const all = rows.flatMap(([conversation, turn, analyser, terms, counts]) =>
    unpackTerms(terms, counts).map(([term, count]) => ({ term, conversation, turn, count, analyser })),
  );
  // In the order of the index, so that each of its pages is touched once. Equal terms are in the order of writing already.
  all.sort((a, b) => (a.term < b.term ? -1 : a.term > b.term ? 1 : 0));
  const insert = prepared(
    database,
    `INSERT INTO turn_terms (session_key, term, conversation_ordinal, turn_number, count, version)
     VALUES (?, ?, ?, ?, ?, ?)`,
  );
  for (const { term, conversation, turn, count, analyser } of all) {
    insert.run(sessionKey, term, conversation, turn, count, analyser);
  }
  prepared(database, 'DELETE FROM recent_turn_terms WHERE session_key = ?').run(sessionKey);
  prepared(
    database,
    'UPDATE turn_index_versions SET recent_terms = 0, taken_over = version WHERE session_key = ?',
  ).run(sessionKey);
}

/** Puts entries that a new analyser made beside those that are there. Those that wait are to be taken over first. */
export function replaceTerms(
  database: Database,
  { sessionKey, conversationOrdinal, turnNumber }: Place,
  terms: TermCounts,
): void {
  const insert = prepared(
    database,
    `INSERT INTO turn_terms (session_key, term, conversation_ordinal, turn_number, count, version)
     VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET count = excluded.count, version = excluded.version`,
  );
  for (const [term, count] of termsOf(terms.terms)) {
    insert.run(sessionKey, term, conversationOrdinal, turnNumber, count, terms.version ?? 1);
  }
}

/** Removes these entries of a turn from the index, and all that wait. */
export function removeTerms(
  database: Database,
  { sessionKey, conversationOrdinal, turnNumber }: Place,
  terms: readonly string[],
): void {
  const waited = prepared(
    database,
    `DELETE FROM recent_turn_terms WHERE session_key = ? AND conversation_ordinal = ? AND turn_number = ?
     RETURNING length(counts) / ${String(Uint32Array.BYTES_PER_ELEMENT)}`,
  )
    .pluck()
    .get(sessionKey, conversationOrdinal, turnNumber) as number | undefined;
  if (waited !== undefined) {
    prepared(
      database,
      'UPDATE turn_index_versions SET recent_terms = recent_terms - ? WHERE session_key = ?',
    ).run(waited, sessionKey);
    beginEpoch(database, sessionKey);
  }
  const remove = prepared(
    database,
    'DELETE FROM turn_terms WHERE session_key = ? AND term = ? AND conversation_ordinal = ? AND turn_number = ?',
  );
  for (const term of terms) remove.run(sessionKey, term, conversationOrdinal, turnNumber);
}

/** Where a term occurs, as packed postings in the order of the session; what waits is not among them. */
export function readTerm(database: Database, sessionKey: number, term: string): number[] {
  return prepared(
    database,
    `SELECT ${packedPosting('min')} FROM turn_terms
      WHERE session_key = ? AND term = ? ORDER BY conversation_ordinal, turn_number`,
  )
    .pluck()
    .all(sessionKey, term) as number[];
}

/** The postings that wait and were written after `version` of the session's index, in the order of writing. */
export function* recentPostings(
  database: Database,
  sessionKey: number,
  version: number,
): Generator<[term: string, posting: number]> {
  const rows = prepared(
    database,
    `SELECT conversation_ordinal, turn_number, analyser_version, terms, counts FROM recent_turn_terms
      WHERE session_key = ? AND version > ?`,
  )
    .raw()
    .all(sessionKey, version) as RecentRow[];
  for (const [conversation, turn, , terms, counts] of rows) {
    for (const [term, count] of unpackTerms(terms, counts)) {
      yield [term, packPosting(conversation, turn, count)];
    }
  }
}

function packCounts(terms: readonly [term: string, count: number][]): Buffer {
  const counts = Buffer.allocUnsafe(terms.length * Uint32Array.BYTES_PER_ELEMENT);
  terms.forEach(([, count], at) => counts.writeUInt32LE(count, at * Uint32Array.BYTES_PER_ELEMENT));
  return counts;
}

function unpackTerms(terms: string, counts: Buffer): [term: string, count: number][] {
  return terms.split('\n').map((term, at) => [term, counts.readUInt32LE(at * Uint32Array.BYTES_PER_ELEMENT)]);
}
