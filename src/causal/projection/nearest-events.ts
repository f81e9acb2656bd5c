import type { CosineFigures } from '../../models/embeddings/usual-cosine.ts';
import type { Duck } from './duckdb.ts';
import { modelStamp } from './schema.ts';
import { tableOf, vectorSizes } from './vector-tables.ts';

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
