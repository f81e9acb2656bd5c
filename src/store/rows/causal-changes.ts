import type { ChangedVectors } from '../causal-vector-store.ts';
import { JUDGES, RELATIONS, type CausalChanges, type JudgedBy, type Relation } from '../causal-store.ts';

/** `change_seq` and what was asked for with it. */
export type ChangeRow = (number | string | null)[];

const seqOf = (row: ChangeRow) => row[0] as number;

/** Changes of a session, each kind read up to `limit` rows, up to the last one before which nothing was left out. */
export function packChanges({
  events,
  links,
  removals,
  watermark,
  limit,
}: {
  /** `change_seq, event_no, happened_at` */
  events: ChangeRow[];
  /** `change_seq, cause_no, effect_no, relation, confidence, judged_by` */
  links: ChangeRow[];
  /** `change_seq, cause_no, effect_no` */
  removals: ChangeRow[];
  watermark: number;
  limit: number;
}): CausalChanges {
  // Where a list was cut, only what comes before its last row is known to be whole.
  const cuts = [events, links, removals].flatMap((list) =>
    list.length < limit ? [] : [seqOf(list.at(-1) ?? [])],
  );
  const through = Math.min(watermark, ...cuts);
  const whole = (rows: ChangeRow[]) => rows.filter((row) => seqOf(row) <= through);
  const [wholeEvents, wholeLinks, wholeRemovals] = [whole(events), whole(links), whole(removals)];
  const gone = wholeRemovals.filter((row) => row[2] === null);
  const cut = wholeRemovals.filter((row) => row[2] !== null);
  return {
    events: {
      nos: Int32Array.from(wholeEvents, (row) => row[1] as number),
      happenedAt: Float64Array.from(wholeEvents, (row) => row[2] as number),
    },
    links: {
      causes: Int32Array.from(wholeLinks, (row) => row[1] as number),
      effects: Int32Array.from(wholeLinks, (row) => row[2] as number),
      relations: Uint8Array.from(wholeLinks, (row) => RELATIONS.indexOf(row[3] as Relation)),
      confidences: Float64Array.from(wholeLinks, (row) => row[4] as number),
      judges: Uint8Array.from(wholeLinks, (row) => JUDGES.indexOf(row[5] as JudgedBy)),
    },
    removedEvents: Int32Array.from(gone, (row) => row[1] as number),
    removedLinks: {
      causes: Int32Array.from(cut, (row) => row[1] as number),
      effects: Int32Array.from(cut, (row) => row[2] as number),
    },
    through,
    more: through < watermark,
  };
}

/** `change_seq, event_no, model, vector` of changed vectors. */
export type ChangedVectorRow = [changeSeq: number, eventNo: number, model: string, vector: Buffer];

export function packVectors(rows: ChangedVectorRow[]): ChangedVectors {
  const names = [...new Set(rows.map(([, , model]) => model))];
  const bytes = rows.reduce((sum, [, , , vector]) => sum + vector.length, 0);
  const values = new Float32Array(bytes / 4);
  const target = new Uint8Array(values.buffer);
  let offset = 0;
  for (const [, , , vector] of rows) {
    target.set(vector, offset);
    offset += vector.length;
  }
  return {
    nos: Int32Array.from(rows, (row) => row[1]),
    models: Int32Array.from(rows, (row) => names.indexOf(row[2])),
    names,
    dimensions: Int32Array.from(rows, (row) => row[3].length / 4),
    values,
  };
}
