import type { Database } from 'better-sqlite3';
import type { ConversationPlace, VectorStore } from '../vector-store.ts';
import { prepared } from './connection.ts';
import type { StoreModule } from './store-module.ts';
import { bytesOf } from '../rows/vector-bytes.ts';
import { VectorCache } from '../rows/vector-cache.ts';

/** Vectors read from the file in one call: some 10 ms, so that other readers have their turn. */
const READ_AT_ONCE = 2_000;

type ChangedVector = [
  change: number,
  conversation: number,
  turn: number,
  model: string,
  dimension: number,
  vector: Buffer,
];

export const vectorsModule: StoreModule<VectorStore> = {
  writes: ['write'],
  create: (database) => {
    const cache = new VectorCache();
    return {
      pending: ({ sessionId, conversationId, model, limit }) =>
        prepared(
          database,
          `SELECT turn_number AS turnNumber, content FROM turns
            WHERE session_id = @sessionId AND conversation_id = @conversationId
              AND turn_number > coalesce((SELECT through_turn FROM vector_progress
                WHERE session_id = @sessionId AND conversation_id = @conversationId AND model = @model), 0)
            ORDER BY turn_number LIMIT +@limit`,
        ).all({ sessionId, conversationId, model, limit }) as { turnNumber: number; content: string }[],
      write: (input) => writeVectors(database, input),
      compare: ({ sessionId, model, vector }) => {
        const sessionKey = prepared(
          database,
          `SELECT session_key FROM sessions WHERE session_id = ? AND status <> 'importing'`,
        )
          .pluck()
          .get(sessionId) as number | undefined;
        if (sessionKey === undefined) return nothing();
        const known = cache.of(sessionKey, model, vector.length);
        const rows = prepared(
          database,
          `SELECT change_no, conversation_ordinal, turn_number, model, dimension, vector FROM turn_vectors
            WHERE session_key = ? AND change_no > ? ORDER BY change_no LIMIT ${String(READ_AT_ONCE)}`,
        )
          .raw()
          .all(sessionKey, known.through) as ChangedVector[];
        for (const [change, conversation, turn, madeBy, dimension, bytes] of rows) {
          known.put(conversation, turn, madeBy === model && dimension === vector.length ? bytes : null);
          known.through = change;
        }
        if (rows.length > 0) cache.trim();
        return rows.length === READ_AT_ONCE ? null : known.compare(vector);
      },
      outdated: ({ model, after, limit }) =>
        prepared(
          database,
          `SELECT c.session_id AS sessionId, c.conversation_id AS conversationId FROM conversations c
             LEFT JOIN vector_progress p ON p.session_id = c.session_id AND p.conversation_id = c.conversation_id
            WHERE (c.session_id, c.conversation_id) > (@sessionId, @conversationId) AND c.turn_count > 0
              AND (p.model IS NULL OR p.model <> @model OR p.through_turn < c.turn_count)
            ORDER BY c.session_id, c.conversation_id LIMIT +@limit`,
        ).all({
          model,
          limit,
          sessionId: after?.sessionId ?? '',
          conversationId: after?.conversationId ?? '',
        }) as ConversationPlace[],
    };
  },
};

function writeVectors(
  database: Database,
  { sessionId, conversationId, model, throughTurn, vectors }: Parameters<VectorStore['write']>[0],
): boolean {
  const place = prepared(
    database,
    `SELECT s.session_key AS sessionKey, c.ordinal FROM conversations c JOIN sessions s ON s.session_id = c.session_id
      WHERE c.session_id = ? AND c.conversation_id = ?`,
  ).get(sessionId, conversationId) as { sessionKey: number; ordinal: number } | undefined;
  if (!place) return false;
  const { sessionKey, ordinal } = place;
  let change = prepared(
    database,
    'SELECT coalesce(max(change_no), 0) FROM turn_vectors WHERE session_key = ?',
  )
    .pluck()
    .get(sessionKey) as number;
  const put = prepared(
    database,
    `INSERT INTO turn_vectors
       (session_key, conversation_ordinal, turn_number, model, dimension, vector, change_no)
     VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (session_key, conversation_ordinal, turn_number) DO UPDATE SET
       model = excluded.model, dimension = excluded.dimension, vector = excluded.vector, change_no = excluded.change_no`,
  );
  for (const { turnNumber, vector } of vectors) {
    put.run(sessionKey, ordinal, turnNumber, model, vector.length, bytesOf(vector), ++change);
  }
  prepared(
    database,
    `INSERT INTO vector_progress (session_id, conversation_id, model, through_turn) VALUES (?, ?, ?, ?)
     ON CONFLICT (session_id, conversation_id) DO UPDATE SET
       model = excluded.model, through_turn = excluded.through_turn`,
  ).run(sessionId, conversationId, model, throughTurn);
  return true;
}

/** Takes a turn's vector away. Its row stays, empty, so that whoever keeps vectors in memory hears of it. */
export function blankTurnVector(database: Database, sessionKey: number, ordinal: number, turn: number): void {
  prepared(
    database,
    `UPDATE turn_vectors SET dimension = 0, vector = x'',
       change_no = (SELECT max(change_no) + 1 FROM turn_vectors WHERE session_key = @sessionKey)
      WHERE session_key = @sessionKey AND conversation_ordinal = @ordinal AND turn_number = @turn`,
  ).run({ sessionKey, ordinal, turn });
}

function nothing() {
  return { conversations: new Int32Array(0), turns: new Int32Array(0), cosines: new Float32Array(0) };
}
