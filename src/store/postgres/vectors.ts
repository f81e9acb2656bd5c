import { bytesOf } from '../rows/vector-bytes.ts';
import { VectorCache } from '../rows/vector-cache.ts';
import type { ConversationPlace, VectorStore } from '../vector-store.ts';
import type { Pgvector } from './pgvector.ts';
import type { PostgresModule } from './postgres-module.ts';
import type { Queries } from './queries.ts';
import { lockIfThere } from './session-lock.ts';

/** Vectors read from the database in one call, so that a large session does not hold a connection for long. */
const READ_AT_ONCE = 2_000;

interface ChangedVector {
  change: number;
  conversation: number;
  turn: number;
  model: string;
  dimension: number;
  vector: Buffer;
}

/**
 * The vectors of turns: compared by the database where it has pgvector, else in this process, which keeps those that it has
 * read, within a bound.
 */
export function vectorsModule(pgvector: Pgvector | null): PostgresModule<VectorStore> {
  const cache = new VectorCache();
  return {
    writes: ['write'],
    create: (db) => ({
      pending: ({ sessionId, conversationId, model, limit }) =>
        db.all<{ turnNumber: number; content: string }>(
          `SELECT turn_number AS "turnNumber", content FROM turns
            WHERE session_id = $1 AND conversation_id = $2
              AND turn_number > coalesce((SELECT through_turn FROM vector_progress
                WHERE session_id = $1 AND conversation_id = $2 AND model = $3), 0)
            ORDER BY turn_number LIMIT $4`,
          sessionId,
          conversationId,
          model,
          limit,
        ),
      write: (input) => writeVectors(db, input, pgvector),
      async compare({ sessionId, model, vector }) {
        const sessionKey = await db.value<number>(
          `SELECT session_key FROM sessions WHERE session_id = $1 AND status <> 'importing'`,
          sessionId,
        );
        if (sessionKey === undefined) return nothing();
        if (pgvector) return pgvector.compare(db, sessionId, model, vector);
        const known = cache.of(sessionKey, model, vector.length);
        const rows = await db.all<ChangedVector>(
          `SELECT change_no AS change, conversation_ordinal AS conversation, turn_number AS turn, model, dimension, vector
             FROM turn_vectors WHERE session_id = $1 AND change_no > $2 ORDER BY change_no LIMIT ${String(READ_AT_ONCE)}`,
          sessionId,
          known.through,
        );
        for (const { change, conversation, turn, model: madeBy, dimension, vector: bytes } of rows) {
          // Another request of this session may have read it meanwhile.
          if (change <= known.through) continue;
          known.put(conversation, turn, madeBy === model && dimension === vector.length ? bytes : null);
          known.through = change;
        }
        if (rows.length > 0) cache.trim();
        return rows.length === READ_AT_ONCE ? null : known.compare(vector);
      },
      outdated: ({ model, after, limit }) =>
        db.all<ConversationPlace>(
          `SELECT c.session_id AS "sessionId", c.conversation_id AS "conversationId" FROM conversations c
             LEFT JOIN vector_progress p ON p.session_id = c.session_id AND p.conversation_id = c.conversation_id
            WHERE (c.session_id, c.conversation_id) > ($2::text, $3::text) AND c.turn_count > 0
              AND (p.model IS NULL OR p.model <> $1 OR p.through_turn < c.turn_count)
            ORDER BY c.session_id, c.conversation_id LIMIT $4`,
          model,
          after?.sessionId ?? '',
          after?.conversationId ?? '',
          limit,
        ),
    }),
  };
}

async function writeVectors(
  db: Queries,
  { sessionId, conversationId, model, throughTurn, vectors }: Parameters<VectorStore['write']>[0],
  pgvector: Pgvector | null,
): Promise<boolean> {
  if (!(await lockIfThere(db, sessionId))) return false;
  const ordinal = await db.value<number>(
    'SELECT ordinal FROM conversations WHERE session_id = $1 AND conversation_id = $2',
    sessionId,
    conversationId,
  );
  if (ordinal === undefined) return false;
  await db.run(
    `INSERT INTO turn_vectors (session_id, conversation_ordinal, turn_number, model, dimension, vector, change_no)
     SELECT $1, $2, turn, $3, dimension, vector,
            (SELECT coalesce(max(change_no), 0) FROM turn_vectors WHERE session_id = $1) + nth
       FROM unnest($4::integer[], $5::integer[], $6::bytea[]) WITH ORDINALITY AS new (turn, dimension, vector, nth)
     ON CONFLICT (session_id, conversation_ordinal, turn_number) DO UPDATE SET
       model = excluded.model, dimension = excluded.dimension, vector = excluded.vector, change_no = excluded.change_no`,
    sessionId,
    ordinal,
    model,
    vectors.map(({ turnNumber }) => turnNumber),
    vectors.map(({ vector }) => vector.length),
    vectors.map(({ vector }) => bytesOf(vector)),
  );
  await pgvector?.put(db, sessionId, ordinal, model, vectors);
  await db.run(
    `INSERT INTO vector_progress (session_id, conversation_id, model, through_turn) VALUES ($1, $2, $3, $4)
     ON CONFLICT (session_id, conversation_id) DO UPDATE SET
       model = excluded.model, through_turn = excluded.through_turn`,
    sessionId,
    conversationId,
    model,
    throughTurn,
  );
  return true;
}

/** Takes a turn's vector away. Its row stays, empty, so that whoever keeps vectors in memory hears of it. */
export async function blankTurnVector(
  db: Queries,
  sessionId: string,
  ordinal: number,
  turn: number,
): Promise<void> {
  await db.run(
    `UPDATE turn_vectors SET dimension = 0, vector = '',
       change_no = (SELECT max(change_no) + 1 FROM turn_vectors WHERE session_id = $1)
      WHERE session_id = $1 AND conversation_ordinal = $2 AND turn_number = $3`,
    sessionId,
    ordinal,
    turn,
  );
}

function nothing() {
  return { conversations: new Int32Array(0), turns: new Int32Array(0), cosines: new Float32Array(0) };
}
