import { DatabaseError } from 'pg';
import type { Logger } from '../../base/logger.ts';
import { vectorOf } from '../rows/vector-bytes.ts';
import type { Similarities } from '../vector-store.ts';
import type { Connections } from './connections.ts';
import type { Queries } from './queries.ts';

/** Of the advisory lock under which the table is made: "CCCvec" in ASCII. */
const PREPARING = 0x434343766563;

/** What becomes of a vector becomes of its copy: whoever blanks or erases it need not know of this. */
const FORGET = `
  CREATE OR REPLACE FUNCTION forget_embedding() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    DELETE FROM turn_embeddings WHERE session_id = OLD.session_id
      AND conversation_ordinal = OLD.conversation_ordinal AND turn_number = OLD.turn_number;
    RETURN NULL;
  END $$`;

/** Vectors copied in one transaction when the extension has just come. */
const COPIED_AT_ONCE = 500;

/**
 * The vectors of turns once more, as pgvector's type, so that the database compares them. They are compared one by one:
 * a session is a wall, and an index over all sessions finds little of one (docs/decisions/0014-pgvector.md).
 */
export class Pgvector {
  /**
   * Makes what it needs in a database that has the extension, or may have it, and copies vectors that were stored before.
   * Null where it is not to be had.
   */
  static async open(connections: Connections, logger: Logger): Promise<Pgvector | null> {
    const there = await connections.read((db) =>
      db.get(`SELECT 1 FROM pg_available_extensions WHERE name = 'vector'`),
    );
    if (!there) return null;
    try {
      await connections.write(async (db) => {
        // Servers that start at the same time wait for each other.
        await db.run('SELECT pg_advisory_xact_lock($1)', PREPARING);
        await db.run('CREATE EXTENSION IF NOT EXISTS vector');
        await db.run(
          `CREATE TABLE IF NOT EXISTS turn_embeddings (
             session_id text COLLATE "C" NOT NULL, conversation_ordinal integer NOT NULL, turn_number integer NOT NULL,
             model text COLLATE "C" NOT NULL, embedding vector NOT NULL,
             PRIMARY KEY (session_id, conversation_ordinal, turn_number))`,
        );
        await db.run(FORGET);
        await db.run(
          `CREATE OR REPLACE TRIGGER turn_embeddings_forgotten AFTER UPDATE OR DELETE ON turn_vectors
             FOR EACH ROW EXECUTE FUNCTION forget_embedding()`,
        );
      });
    } catch (error) {
      const { cause } = error as { cause?: unknown };
      if (!(cause instanceof DatabaseError)) throw error;
      logger.warn(
        { err: cause },
        'pgvector is there and may not be used: vectors are compared by the server',
      );
      return null;
    }
    const pgvector = new Pgvector();
    while (await connections.write((db) => pgvector.#copySome(db)));
    return pgvector;
  }

  /** Stores turns' vectors beside those that were just written to `turn_vectors`. */
  async put(
    db: Queries,
    sessionId: string,
    ordinal: number,
    model: string,
    vectors: readonly { turnNumber: number; vector: Float32Array }[],
  ): Promise<void> {
    const there = vectors.filter(({ vector }) => vector.length > 0);
    await db.run(
      `INSERT INTO turn_embeddings (session_id, conversation_ordinal, turn_number, model, embedding)
       SELECT $1, $2, turn, $3, embedding::vector FROM unnest($4::integer[], $5::text[]) AS new (turn, embedding)`,
      sessionId,
      ordinal,
      model,
      there.map(({ turnNumber }) => turnNumber),
      there.map(({ vector }) => textOf(vector)),
    );
  }

  /** The cosine of each vector of the session with this one: all have length 1, so the inner product is it. */
  async compare(db: Queries, sessionId: string, model: string, vector: Float32Array): Promise<Similarities> {
    const rows = await db.all<{ conversation: number; turn: number; cosine: number }>(
      `SELECT conversation_ordinal AS conversation, turn_number AS turn, -(embedding <#> $3::text::vector) AS cosine
         FROM turn_embeddings WHERE session_id = $1 AND model = $2 AND vector_dims(embedding) = $4`,
      sessionId,
      model,
      textOf(vector),
      vector.length,
    );
    return {
      conversations: Int32Array.from(rows, (row) => row.conversation),
      turns: Int32Array.from(rows, (row) => row.turn),
      cosines: Float32Array.from(rows, (row) => row.cosine),
    };
  }

  /** False when nothing is left to be copied. */
  async #copySome(db: Queries): Promise<boolean> {
    const rows = await db.all<{
      session_id: string;
      ordinal: number;
      turn: number;
      model: string;
      vector: Buffer;
    }>(
      `SELECT v.session_id, v.conversation_ordinal AS ordinal, v.turn_number AS turn, v.model, v.vector FROM turn_vectors v
        WHERE v.dimension > 0 AND NOT EXISTS (SELECT 1 FROM turn_embeddings e WHERE e.session_id = v.session_id
          AND e.conversation_ordinal = v.conversation_ordinal AND e.turn_number = v.turn_number)
        LIMIT $1`,
      COPIED_AT_ONCE,
    );
    if (rows.length === 0) return false;
    await db.run(
      `INSERT INTO turn_embeddings (session_id, conversation_ordinal, turn_number, model, embedding)
       SELECT session_id, ordinal, turn, model, embedding::vector
         FROM unnest($1::text[], $2::integer[], $3::integer[], $4::text[], $5::text[])
           AS new (session_id, ordinal, turn, model, embedding) ON CONFLICT DO NOTHING`,
      rows.map((row) => row.session_id),
      rows.map((row) => row.ordinal),
      rows.map((row) => row.turn),
      rows.map((row) => row.model),
      rows.map((row) => textOf(vectorOf(row.vector))),
    );
    return true;
  }
}

/** A vector as pgvector reads it. */
function textOf(vector: Float32Array): string {
  return `[${vector.join(',')}]`;
}
