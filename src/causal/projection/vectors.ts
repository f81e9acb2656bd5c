import type { CosineFigures } from '../../models/embeddings/usual-cosine.ts';
import type { ChangedVectors } from '../../store/causal-vector-store.ts';
import type { Duck } from './duckdb.ts';
import { modelStamp } from './schema.ts';

const tableOf = (dimension: number) => `vectors_${String(dimension)}`;

/** Dimensions that the projection has a table for. */
export async function vectorSizes(duck: Duck): Promise<number[]> {
  const rows = await duck.rows('SELECT dimension FROM vector_sizes ORDER BY dimension');
  return rows.map(([dimension]) => Number(dimension));
}

/** Adds vectors, each to the table of its dimension. Those that are there already must have been deleted before. */
export async function appendVectors(duck: Duck, sessionKey: number, changed: ChangedVectors): Promise<void> {
  if (changed.nos.length === 0) return;
  const stamps = changed.names.map(modelStamp);
  for (const [dimension, places] of byDimension(changed)) {
    if (dimension === 0) continue;
    await duck.run(
      `CREATE TABLE IF NOT EXISTS ${tableOf(dimension)} (session_key INTEGER NOT NULL, event_no INTEGER NOT NULL,
         model BIGINT NOT NULL, vector FLOAT[${String(dimension)}] NOT NULL)`,
    );
    await duck.run('INSERT OR IGNORE INTO vector_sizes VALUES ($1)', [dimension]);
    await duck.append(tableOf(dimension), places.length, [
      { type: 'integer', values: sessionKey },
      { type: 'integer', values: places.map(({ at }) => changed.nos[at] ?? 0) },
      { type: 'bigint', values: places.map(({ at }) => stamps[changed.models[at] ?? 0] ?? 0) },
      {
        type: 'vector',
        dimension,
        values: places.map(({ offset }) => changed.values.subarray(offset, offset + dimension)),
      },
    ]);
  }
}

function byDimension({ dimensions }: ChangedVectors): Map<number, { at: number; offset: number }[]> {
  const groups = new Map<number, { at: number; offset: number }[]>();
  let offset = 0;
  dimensions.forEach((dimension, at) => {
    const known = groups.get(dimension);
    if (known) known.push({ at, offset });
    else groups.set(dimension, [{ at, offset }]);
    offset += dimension;
  });
  return groups;
}

/** Numbers only: there is nothing to escape. */
export async function deleteVectors(duck: Duck, sessionKey: number, eventNos: number[]): Promise<void> {
  if (eventNos.length === 0) return;
  for (const dimension of await vectorSizes(duck)) {
    const deleted = await duck.rows(
      `DELETE FROM ${tableOf(dimension)}
        WHERE session_key = ${String(sessionKey)} AND event_no IN (${eventNos.join()}) RETURNING event_no`,
    );
    if (deleted.length > 0) await noteTraces(duck);
  }
}

export async function forgetVectors(duck: Duck, sessionKey: number): Promise<void> {
  for (const dimension of await vectorSizes(duck)) {
    const had = await duck.rows(`SELECT 1 FROM ${tableOf(dimension)} WHERE session_key = $1 LIMIT 1`, [
      sessionKey,
    ]);
    if (had.length === 0) continue;
    await duck.run(`DELETE FROM ${tableOf(dimension)} WHERE session_key = $1`, [sessionKey]);
    await noteTraces(duck);
  }
}

/** Whether vectors were deleted that may still be read in the free space of the file: it is to be written anew. */
export async function hasTraces(duck: Duck): Promise<boolean> {
  const rows = await duck.rows('SELECT 1 FROM meta WHERE traces');
  return rows.length > 0;
}

async function noteTraces(duck: Duck): Promise<void> {
  if (!(await hasTraces(duck))) await duck.run('UPDATE meta SET traces = true');
}

/** What is compared: a vector, or the one that the model made of an event. */
export type Compared = { vector: Float32Array } | { eventNo: number };

/** The events of a session that are nearest to what is compared, and which cosines are usual there. */
export interface Nearest extends CosineFigures {
  /** Nearest first. */
  events: { eventNo: number; cosine: number }[];
}

const NOTHING: Nearest = { events: [], count: 0, mean: 0, deviation: 0 };

/** Compares with the vectors that the same model made of a session's other events; of these, names those before a time. */
export async function nearestEvents(
  duck: Duck,
  sessionKey: number,
  wanted: {
    compared: Compared;
    model: string;
    before: { happenedAt: number; eventNo: number } | null;
    limit: number;
  },
): Promise<Nearest> {
  const { compared, before, limit } = wanted;
  const model = modelStamp(wanted.model);
  const vector =
    'vector' in compared ? compared.vector : await vectorOf(duck, sessionKey, model, compared.eventNo);
  if (!vector || !(await vectorSizes(duck)).includes(vector.length)) return NOTHING;
  const self = 'eventNo' in compared ? compared.eventNo : 0;
  const rows = await duck.rows(
    `WITH near AS MATERIALIZED (
       SELECT event_no, array_cosine_similarity(vector, $3)::DOUBLE AS cosine
         FROM ${tableOf(vector.length)} WHERE session_key = $1 AND model = $2 AND event_no <> $4)
     SELECT near.event_no, near.cosine, (SELECT count(*) FROM near), (SELECT avg(cosine) FROM near),
         (SELECT stddev_pop(cosine) FROM near)
       FROM near ${before === null ? '' : `JOIN events e USING (event_no) WHERE e.session_key = $1 AND ${BEFORE}`}
      ORDER BY near.cosine DESC, near.event_no DESC LIMIT ${String(limit)}`,
    [
      sessionKey,
      BigInt(model),
      vector,
      self,
      ...(before === null ? [] : [BigInt(before.happenedAt), before.eventNo]),
    ],
  );
  const [first] = rows;
  if (!first) return NOTHING;
  return {
    events: rows.map(([eventNo, cosine]) => ({ eventNo: Number(eventNo), cosine: Number(cosine) })),
    count: Number(first[2]),
    mean: Number(first[3]),
    deviation: Number(first[4]),
  };
}

const BEFORE = '(e.happened_at < $5 OR (e.happened_at = $5 AND e.event_no < $6))';

async function vectorOf(
  duck: Duck,
  sessionKey: number,
  model: number,
  eventNo: number,
): Promise<Float32Array | null> {
  for (const dimension of await vectorSizes(duck)) {
    const [row] = await duck.rows(
      `SELECT to_json(vector)::VARCHAR FROM ${tableOf(dimension)}
        WHERE session_key = $1 AND model = $2 AND event_no = $3`,
      [sessionKey, BigInt(model), eventNo],
    );
    if (row) return Float32Array.from(JSON.parse(String(row[0])) as number[]);
  }
  return null;
}
