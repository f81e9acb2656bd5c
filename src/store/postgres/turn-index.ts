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
      const rows = await db.all<{ term: string; packed: number[] }>(
        `SELECT term, array_agg((${packedPosting('least')})::double precision ORDER BY conversation_ordinal, turn_number) AS packed
           FROM turn_terms WHERE session_id = $1 AND term = ANY($2::text[]) GROUP BY term`,
        sessionId,
        terms,
      );
      const packed = new Map(rows.map((row) => [row.term, row.packed]));
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
