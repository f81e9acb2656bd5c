import type { Database } from 'better-sqlite3';
import type { TermCounts } from '../records.ts';
import { nothingFound, unpackPostings } from '../rows/postings.ts';
import type { TurnIndex } from '../turn-index.ts';
import { prepared } from './connection.ts';
import type { StoreModule } from './store-module.ts';
import { writeTurnEntry } from './turn-blocks.ts';
import { IndexCache } from './index-cache.ts';
import { insertTerms, readTerm, replaceTerms } from './turn-terms.ts';

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
  const { length, traits = 0 } = entry.terms;
  const version = writeTurnEntry(database, { ...entry, length, traits });
  insertTerms(database, entry, entry.terms, version);
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
  const place = { sessionKey, conversationOrdinal: turn.ordinal, turnNumber };
  const { length, traits = 0 } = terms;
  writeTurnEntry(database, { ...turn, ...place, length, traits });
  replaceTerms(database, place, terms);
}

export const turnIndexModule: StoreModule<TurnIndex> = {
  writes: [],
  create: (database) => {
    const entries = new IndexCache(database);
    return {
      lookup: (sessionId, terms) => {
        const sessionKey = findSession(database, sessionId);
        if (sessionKey === null) return nothingFound();
        const { turns, recent } = entries.read(sessionKey);
        return {
          ...turns,
          terms: terms.flatMap((term) => {
            const postings = inOrder(readTerm(database, sessionKey, term), recent.of(term));
            return postings.length === 0 ? [] : [unpackPostings(term, postings, turns)];
          }),
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

/** Both in the order of the session. What was said last mostly is the end of it, but an old conversation may have gone on. */
function inOrder(indexed: number[], recent: readonly number[]): number[] {
  if (recent.length === 0) return indexed;
  const last = indexed.at(-1) ?? -1;
  const all = [...indexed, ...recent];
  const ascending = recent.every((posting, at) => posting > (at === 0 ? last : (recent[at - 1] ?? 0)));
  return ascending ? all : all.sort((a, b) => a - b);
}
