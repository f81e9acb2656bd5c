import type { Database } from 'better-sqlite3';
import { termsOf } from '../packed-terms.ts';
import type { TermCounts } from '../records.ts';
import { nothingFound, packedPosting, unpackPostings } from '../rows/postings.ts';
import type { IndexLookup, TermPostings, TurnIndex } from '../turn-index.ts';
import { prepared } from './connection.ts';
import type { StoreModule } from './store-module.ts';
import { writeTurnEntry } from './turn-blocks.ts';
import { TurnEntriesCache } from './turn-entries-cache.ts';

/** Writes the index rows of one turn, inside the transaction that writes the turn. They fall with their session. */
export function insertTurnTerms(
  database: Database,
  entry: {
    sessionKey: number;
    conversationOrdinal: number;
    turnNumber: number;
    /** Milliseconds since the epoch. */
    timestamp: number;
    /** The speaker's name, or the agent's where none was given. */
    speaker: string;
    terms: TermCounts;
  },
): void {
  const { sessionKey, conversationOrdinal, turnNumber, terms } = entry;
  const insert = prepared(
    database,
    `INSERT INTO turn_terms (session_key, term, conversation_ordinal, turn_number, count, version)
     VALUES (?, ?, ?, ?, ?, ?)`,
  );
  const version = terms.version ?? 1;
  for (const [term, count] of termsOf(terms.terms)) {
    insert.run(sessionKey, term, conversationOrdinal, turnNumber, count, version);
  }
  writeTurnEntry(database, { ...entry, length: terms.length, traits: terms.traits ?? 0 });
}

/** Puts new entries beside those that another analyser made; these stay until they are swept away. */
export function replaceTurnTerms(
  database: Database,
  {
    sessionId,
    sessionKey,
    conversationId,
    turnNumber,
    terms,
  }: { sessionId: string; sessionKey: number; conversationId: string; turnNumber: number; terms: TermCounts },
): void {
  const turn = prepared(
    database,
    `SELECT c.ordinal, t.timestamp, coalesce(t.speaker, t.agent) AS speaker FROM turns t
       JOIN conversations c ON c.session_id = t.session_id AND c.conversation_id = t.conversation_id
      WHERE t.session_id = ? AND t.conversation_id = ? AND t.turn_number = ?`,
  ).get(sessionId, conversationId, turnNumber) as
    { ordinal: number; timestamp: number; speaker: string } | undefined;
  if (!turn) return;
  const { ordinal, timestamp, speaker } = turn;
  const insert = prepared(
    database,
    `INSERT INTO turn_terms (session_key, term, conversation_ordinal, turn_number, count, version)
     VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET count = excluded.count, version = excluded.version`,
  );
  for (const [term, count] of termsOf(terms.terms)) {
    insert.run(sessionKey, term, ordinal, turnNumber, count, terms.version ?? 1);
  }
  const { length, traits = 0 } = terms;
  writeTurnEntry(database, {
    sessionKey,
    conversationOrdinal: ordinal,
    turnNumber,
    timestamp,
    speaker,
    length,
    traits,
  });
}

export const turnIndexModule: StoreModule<TurnIndex> = {
  writes: [],
  create: (database) => {
    const entries = new TurnEntriesCache(database);
    return {
      lookup: (sessionId, terms) => {
        const sessionKey = findSession(database, sessionId);
        if (sessionKey === null) return nothingFound();
        const turns = entries.read(sessionKey);
        return {
          ...turns,
          terms: readPostings(database, sessionKey, turns, terms),
        };
      },
    };
  },
};

function findSession(database: Database, sessionId: string): number | null {
  const key = prepared(
    database,
    `SELECT session_key FROM sessions WHERE session_id = ? AND status <> 'importing'`,
  )
    .pluck()
    .get(sessionId) as number | undefined;
  return key ?? null;
}

function readPostings(
  database: Database,
  sessionKey: number,
  turns: Pick<IndexLookup, 'conversations' | 'starts'>,
  terms: string[],
): TermPostings[] {
  const packed = prepared(
    database,
    `SELECT ${packedPosting('min')} FROM turn_terms
      WHERE session_key = ? AND term = ? ORDER BY conversation_ordinal, turn_number`,
  ).pluck();
  return terms.flatMap((term) => {
    const rows = packed.all(sessionKey, term) as number[];
    return rows.length === 0 ? [] : [unpackPostings(term, rows, turns)];
  });
}
