import type { Database } from 'better-sqlite3';
import { JUDGES, RELATIONS, type CausalChanges, type JudgedBy, type Relation } from '../causal-store.ts';
import { prepared } from './connection.ts';

/**
 * The changes of a session after a watermark. Each kind is read up to `limit` rows; `through` is the last change before
 * which nothing was left out.
 */
export function readChanges(
  database: Database,
  sessionId: string,
  after: number,
  limit: number,
): CausalChanges {
  const watermark =
    (prepared(database, 'SELECT change_seq FROM causal_heads WHERE session_id = ?').pluck().get(sessionId) as
      number | undefined) ?? 0;
  const rows = (select: string) => rowsAfter(database, select, { sessionId, after, limit });
  const events = rows('SELECT change_seq, event_no, happened_at FROM causal_events');
  const links = rows(
    'SELECT change_seq, cause_no, effect_no, relation, confidence, judged_by FROM causal_links',
  );
  const removals = rows('SELECT change_seq, cause_no, effect_no FROM causal_removals');
  // Where a list was cut, only what comes before its last row is known to be whole.
  const cuts = [events, links, removals].flatMap((list) =>
    list.length < limit ? [] : [seqOf(list.at(-1) ?? [])],
  );
  const through = Math.min(watermark, ...cuts);
  const whole = (rows: Row[]) => rows.filter((row) => seqOf(row) <= through);
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

type Row = (number | string | null)[];

const seqOf = (row: Row) => row[0] as number;

function rowsAfter(
  database: Database,
  select: string,
  { sessionId, after, limit }: { sessionId: string; after: number; limit: number },
): Row[] {
  return prepared(database, `${select} WHERE session_id = ? AND change_seq > ? ORDER BY change_seq LIMIT ?`)
    .raw()
    .all(sessionId, after, limit) as Row[];
}
