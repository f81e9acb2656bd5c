import type { Database } from 'better-sqlite3';
import type { TermCounts } from '../records.ts';
import type { TermPostings, TurnIndex } from '../turn-index.ts';
import { prepared } from './connection.ts';
import type { StoreModule } from './store-module.ts';

/** Writes the index rows of one turn, inside the transaction that writes the turn. */
export function insertTurnTerms(
  database: Database,
  entry: { sessionKey: number; conversationOrdinal: number; turnNumber: number; terms: TermCounts },
): void {
  const { sessionKey, conversationOrdinal, turnNumber, terms } = entry;
  const insert = prepared(
    database,
    `INSERT INTO turn_terms (session_key, term, conversation_ordinal, turn_number, count, length)
     VALUES (?, ?, ?, ?, ?, ?)`,
  );
  for (const [term, count] of terms.terms) {
    insert.run(sessionKey, term, conversationOrdinal, turnNumber, count, terms.length);
  }
  prepared(
    database,
    `INSERT INTO turn_index_totals (session_key, turn_count, total_length) VALUES (?, 1, ?)
     ON CONFLICT (session_key) DO UPDATE SET
       turn_count = turn_count + 1, total_length = total_length + excluded.total_length`,
  ).run(sessionKey, terms.length);
}

export const turnIndexModule: StoreModule<TurnIndex> = {
  writes: [],
  create: (database) => ({
    lookup: (sessionId, terms) => {
      const totals = prepared(
        database,
        `SELECT session_key, turn_count, total_length
           FROM sessions JOIN turn_index_totals USING (session_key)
          WHERE session_id = ? AND status <> 'importing'`,
      ).get(sessionId) as { session_key: number; turn_count: number; total_length: number } | undefined;
      if (!totals) return { turnCount: 0, totalLength: 0, terms: [] };
      const rows = prepared(
        database,
        `SELECT conversation_ordinal, turn_number, count, length FROM turn_terms
          WHERE session_key = ? AND term = ? ORDER BY conversation_ordinal, turn_number`,
      ).raw();
      return {
        turnCount: totals.turn_count,
        totalLength: totals.total_length,
        terms: terms.flatMap((term) => {
          const found = rows.all(totals.session_key, term) as [number, number, number, number][];
          return found.length === 0 ? [] : [pack(term, found)];
        }),
      };
    },
  }),
};

function pack(term: string, rows: [number, number, number, number][]): TermPostings {
  const postings = {
    term,
    conversations: new Int32Array(rows.length),
    turnNumbers: new Int32Array(rows.length),
    counts: new Int32Array(rows.length),
    lengths: new Int32Array(rows.length),
  };
  rows.forEach(([conversation, turnNumber, count, length], at) => {
    postings.conversations[at] = conversation;
    postings.turnNumbers[at] = turnNumber;
    postings.counts[at] = count;
    postings.lengths[at] = length;
  });
  return postings;
}
