import { termsOf } from '../packed-terms.ts';
import type { TermCounts } from '../records.ts';
import { nothingFound, packedPosting, unpackPostings } from '../rows/postings.ts';
import type { TurnIndex } from '../turn-index.ts';
import type { PostgresModule } from './postgres-module.ts';
import type { Queries } from './queries.ts';
import { readTurnEntries, writeTurnEntries } from './turn-blocks.ts';

/** What the index holds of a turn. */
export interface IndexedTurn {
  conversationOrdinal: number;
  turnNumber: number;
  /** Milliseconds since the epoch. */
  timestamp: number;
  /** The speaker's name, or the agent's where none was given. */
  speaker: string;
  terms: TermCounts;
}

/**
 * Writes the index rows of turns, inside the transaction that writes the turns. New entries stand beside those that
 * another analyser made; these stay until they are swept away.
 */
export async function insertTurnTerms(
  db: Queries,
  sessionId: string,
  turns: readonly IndexedTurn[],
): Promise<void> {
  const [terms, ordinals, numbers, counts, versions]: [string[], number[], number[], number[], number[]] = [
    [],
    [],
    [],
    [],
    [],
  ];
  for (const turn of turns) {
    for (const [term, count] of termsOf(turn.terms.terms)) {
      terms.push(term);
      ordinals.push(turn.conversationOrdinal);
      numbers.push(turn.turnNumber);
      counts.push(count);
      versions.push(turn.terms.version ?? 1);
    }
  }
  if (terms.length > 0) {
    await db.run(
      `INSERT INTO turn_terms (session_id, term, conversation_ordinal, turn_number, count, version)
       SELECT $1, * FROM unnest($2::text[], $3::integer[], $4::integer[], $5::integer[], $6::integer[])
       ON CONFLICT (session_id, term, conversation_ordinal, turn_number)
         DO UPDATE SET count = excluded.count, version = excluded.version`,
      sessionId,
      terms,
      ordinals,
      numbers,
      counts,
      versions,
    );
  }
  await writeTurnEntries(
    db,
    sessionId,
    turns.map(({ terms: { length, traits = 0 }, ...turn }) => ({ ...turn, length, traits })),
  );
}

export const turnIndexModule: PostgresModule<TurnIndex> = {
  writes: [],
  // Of one state of the record: else a term's rows could name turns that the entries do not have yet.
  snapshots: ['lookup'],
  create: (db) => ({
    async lookup(sessionId, terms) {
      const shown = await db.get(
        `SELECT 1 FROM sessions WHERE session_id = $1 AND status <> 'importing'`,
        sessionId,
      );
      if (!shown) return nothingFound();
      const turns = await readTurnEntries(db, sessionId);
      // Each term by the index, whatever the planner knows of the table; its rows as one run of bytes, for a list of numbers
      // is read character by character.
      const rows = await db.all<{ term: string; packed: Buffer | null }>(
        `SELECT asked.term, found.packed FROM unnest($2::text[]) AS asked (term), LATERAL (
           SELECT string_agg(float8send(${packedPosting('least')}), '' ORDER BY conversation_ordinal, turn_number) AS packed
             FROM turn_terms t WHERE t.session_id = $1 AND t.term = asked.term) AS found`,
        sessionId,
        terms,
      );
      const packed = new Map(rows.flatMap((row) => (row.packed ? [[row.term, doublesOf(row.packed)]] : [])));
      return {
        ...turns,
        terms: terms.flatMap((term) => {
          const places = packed.get(term);
          return places ? [unpackPostings(term, places, turns)] : [];
        }),
      };
    },
  }),
};

/** The numbers that `float8send` has written. */
function doublesOf(bytes: Buffer): number[] {
  return Array.from({ length: bytes.length / 8 }, (_, at) => bytes.readDoubleBE(at * 8));
}
