import type { Database } from 'better-sqlite3';
import type { CausalVectorStore, VectorChanges } from '../causal-vector-store.ts';
import { packVectors, type ChangedVectorRow } from '../rows/causal-changes.ts';
import { advance } from './causal-rows.ts';
import { prepared } from './connection.ts';
import type { StoreModule } from './store-module.ts';
import { bytesOf } from '../rows/vector-bytes.ts';

export const causalVectorsModule: StoreModule<CausalVectorStore> = {
  writes: ['write'],
  create: (database) => ({
    pending: ({ sessionId, model, limit }) =>
      prepared(
        database,
        `SELECT event_no AS eventNo, change_seq AS changeSeq, text FROM causal_events
          WHERE session_id = @sessionId AND change_seq > coalesce((SELECT through_seq FROM causal_vector_progress
            WHERE session_id = @sessionId AND model = @model), 0)
          ORDER BY change_seq LIMIT +@limit`,
      ).all({ sessionId, model, limit }) as { eventNo: number; changeSeq: number; text: string }[],
    write: (input) => write(database, input),
    any: (sessionId, model) =>
      prepared(database, 'SELECT 1 FROM causal_vector_progress WHERE session_id = ? AND model = ?').get(
        sessionId,
        model,
      ) !== undefined,
    changesSince: (sessionId, after, limit) => changesSince(database, sessionId, after, limit),
    outdated: ({ model, after, limit }) =>
      prepared(
        database,
        `SELECT h.session_id FROM causal_heads h
           LEFT JOIN causal_vector_progress p ON p.session_id = h.session_id AND p.model = @model
          WHERE h.session_id > @after AND EXISTS (SELECT 1 FROM causal_events e INDEXED BY causal_events_by_change
            WHERE e.session_id = h.session_id AND e.change_seq > coalesce(p.through_seq, 0))
          ORDER BY h.session_id LIMIT +@limit`,
      )
        .pluck()
        .all({ model, after: after ?? '', limit }) as string[],
  }),
};

function write(
  database: Database,
  { sessionId, model, throughSeq, vectors }: Parameters<CausalVectorStore['write']>[0],
): boolean {
  if (!prepared(database, 'SELECT 1 FROM causal_heads WHERE session_id = ?').get(sessionId)) return false;
  const changeOf = prepared(
    database,
    'SELECT change_seq FROM causal_events WHERE session_id = ? AND event_no = ?',
  ).pluck();
  const there = vectors.filter(({ eventNo, changeSeq }) => changeOf.get(sessionId, eventNo) === changeSeq);
  const put = prepared(
    database,
    `INSERT INTO causal_vectors (session_id, event_no, model, dimension, vector, change_seq)
     VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (session_id, event_no) DO UPDATE SET
       model = excluded.model, dimension = excluded.dimension, vector = excluded.vector, change_seq = excluded.change_seq`,
  );
  const first = advance(database, sessionId, { changes: there.length }).changeSeq - there.length + 1;
  there.forEach(({ eventNo, vector }, at) => {
    put.run(sessionId, eventNo, model, vector.length, bytesOf(vector), first + at);
  });
  prepared(
    database,
    `INSERT INTO causal_vector_progress (session_id, model, through_seq) VALUES (?, ?, ?)
     ON CONFLICT (session_id) DO UPDATE SET model = excluded.model, through_seq = excluded.through_seq`,
  ).run(sessionId, model, throughSeq);
  return true;
}

/** Takes an event's vector away, as a change: its text is another one now. */
export function blankVector(database: Database, sessionId: string, eventNo: number): void {
  const known = prepared(database, 'SELECT 1 FROM causal_vectors WHERE session_id = ? AND event_no = ?');
  if (!known.get(sessionId, eventNo)) return;
  prepared(
    database,
    `UPDATE causal_vectors SET dimension = 0, vector = x'', change_seq = ? WHERE session_id = ? AND event_no = ?`,
  ).run(advance(database, sessionId).changeSeq, sessionId, eventNo);
}

function changesSince(database: Database, sessionId: string, after: number, limit: number): VectorChanges {
  const watermark =
    (prepared(database, 'SELECT change_seq FROM causal_heads WHERE session_id = ?').pluck().get(sessionId) as
      number | undefined) ?? 0;
  const rows = prepared(
    database,
    `SELECT change_seq, event_no, model, vector FROM causal_vectors
      WHERE session_id = ? AND change_seq > ? ORDER BY change_seq LIMIT +?`,
  )
    .raw()
    .all(sessionId, after, limit) as ChangedVectorRow[];
  const through = rows.length < limit ? watermark : (rows.at(-1)?.[0] ?? watermark);
  const removed = prepared(
    database,
    `SELECT cause_no FROM causal_removals
      WHERE session_id = ? AND change_seq > ? AND change_seq <= ? AND kind = 'event'`,
  )
    .pluck()
    .all(sessionId, after, through) as number[];
  return {
    vectors: packVectors(rows),
    removedEvents: Int32Array.from(removed),
    through,
    more: through < watermark,
  };
}
