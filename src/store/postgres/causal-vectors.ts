import type { CausalVectorStore, VectorChanges } from '../causal-vector-store.ts';
import { packVectors, type ChangedVectorRow } from '../rows/causal-changes.ts';
import { bytesOf } from '../rows/vector-bytes.ts';
import { advance } from './causal-rows.ts';
import type { PostgresModule } from './postgres-module.ts';
import type { Queries } from './queries.ts';
import { lockIfThere } from './session-lock.ts';

export const causalVectorsModule: PostgresModule<CausalVectorStore> = {
  writes: ['write'],
  snapshots: ['changesSince'],
  create: (db) => ({
    pending: ({ sessionId, model, limit }) =>
      db.all<{ eventNo: number; changeSeq: number; text: string }>(
        `SELECT event_no AS "eventNo", change_seq AS "changeSeq", text FROM causal_events
          WHERE session_id = $1 AND change_seq > coalesce((SELECT through_seq FROM causal_vector_progress
            WHERE session_id = $1 AND model = $2), 0)
          ORDER BY change_seq LIMIT $3`,
        sessionId,
        model,
        limit,
      ),
    write: (input) => write(db, input),
    any: async (sessionId, model) =>
      (await db.get(
        'SELECT 1 FROM causal_vector_progress WHERE session_id = $1 AND model = $2',
        sessionId,
        model,
      )) !== undefined,
    changesSince: (sessionId, after, limit) => changesSince(db, sessionId, after, limit),
    async outdated({ model, after, limit }) {
      const rows = await db.all<{ session_id: string }>(
        `SELECT h.session_id FROM causal_heads h
           LEFT JOIN causal_vector_progress p ON p.session_id = h.session_id AND p.model = $1
          WHERE h.session_id > $2 AND EXISTS (SELECT 1 FROM causal_events e
            WHERE e.session_id = h.session_id AND e.change_seq > coalesce(p.through_seq, 0))
          ORDER BY h.session_id LIMIT $3`,
        model,
        after ?? '',
        limit,
      );
      return rows.map((row) => row.session_id);
    },
  }),
};

async function write(
  db: Queries,
  { sessionId, model, throughSeq, vectors }: Parameters<CausalVectorStore['write']>[0],
): Promise<boolean> {
  if (!(await lockIfThere(db, sessionId))) return false;
  if (!(await db.get('SELECT 1 FROM causal_heads WHERE session_id = $1', sessionId))) return false;
  const unchanged = await db.all<{ event_no: number }>(
    `SELECT e.event_no FROM unnest($2::bigint[], $3::bigint[]) AS seen (event_no, change_seq)
       JOIN causal_events e ON e.session_id = $1 AND e.event_no = seen.event_no AND e.change_seq = seen.change_seq`,
    sessionId,
    vectors.map(({ eventNo }) => eventNo),
    vectors.map(({ changeSeq }) => changeSeq),
  );
  const numbers = new Set(unchanged.map((row) => row.event_no));
  const there = vectors.filter(({ eventNo }) => numbers.has(eventNo));
  const first = (await advance(db, sessionId, { changes: there.length })).changeSeq - there.length + 1;
  await db.run(
    `INSERT INTO causal_vectors (session_id, event_no, model, dimension, vector, change_seq)
     SELECT $1, event_no, $2, dimension, vector, change_seq
       FROM unnest($3::bigint[], $4::bigint[], $5::bytea[], $6::bigint[]) AS new (event_no, dimension, vector, change_seq)
     ON CONFLICT (session_id, event_no) DO UPDATE SET
       model = excluded.model, dimension = excluded.dimension, vector = excluded.vector, change_seq = excluded.change_seq`,
    sessionId,
    model,
    there.map(({ eventNo }) => eventNo),
    there.map(({ vector }) => vector.length),
    there.map(({ vector }) => bytesOf(vector)),
    there.map((_, at) => first + at),
  );
  await db.run(
    `INSERT INTO causal_vector_progress (session_id, model, through_seq) VALUES ($1, $2, $3)
     ON CONFLICT (session_id) DO UPDATE SET model = excluded.model, through_seq = excluded.through_seq`,
    sessionId,
    model,
    throughSeq,
  );
  return true;
}

/** Takes an event's vector away, as a change: its text is another one now. */
export async function blankVector(db: Queries, sessionId: string, eventNo: number): Promise<void> {
  const known = await db.get(
    'SELECT 1 FROM causal_vectors WHERE session_id = $1 AND event_no = $2',
    sessionId,
    eventNo,
  );
  if (!known) return;
  const { changeSeq } = await advance(db, sessionId);
  await db.run(
    `UPDATE causal_vectors SET dimension = 0, vector = '', change_seq = $3 WHERE session_id = $1 AND event_no = $2`,
    sessionId,
    eventNo,
    changeSeq,
  );
}

async function changesSince(
  db: Queries,
  sessionId: string,
  after: number,
  limit: number,
): Promise<VectorChanges> {
  const watermark =
    (await db.value<number>('SELECT change_seq FROM causal_heads WHERE session_id = $1', sessionId)) ?? 0;
  const found = await db.all<{ change_seq: number; event_no: number; model: string; vector: Buffer }>(
    `SELECT change_seq, event_no, model, vector FROM causal_vectors
      WHERE session_id = $1 AND change_seq > $2 ORDER BY change_seq LIMIT $3`,
    sessionId,
    after,
    limit,
  );
  const rows = found.map((row): ChangedVectorRow => [row.change_seq, row.event_no, row.model, row.vector]);
  const through = rows.length < limit ? watermark : (rows.at(-1)?.[0] ?? watermark);
  const removed = await db.all<{ cause_no: number }>(
    `SELECT cause_no FROM causal_removals
      WHERE session_id = $1 AND change_seq > $2 AND change_seq <= $3 AND kind = 'event'`,
    sessionId,
    after,
    through,
  );
  return {
    vectors: packVectors(rows),
    removedEvents: Int32Array.from(removed, (row) => row.cause_no),
    through,
    more: through < watermark,
  };
}
