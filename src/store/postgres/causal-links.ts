import type { JudgedBy, NewCausalLink, Relation } from '../causal-store.ts';
import { checkEnds, loopSearch, outranks, refused, type LinkEnds } from '../rows/causal-rules.ts';
import type { EventRow, LinkRow } from '../rows/causal-rows.ts';
import { advance, findLinkOfPair, requireEvent } from './causal-rows.ts';
import type { Queries } from './queries.ts';

/**
 * Stores a link, or lets a new judgement of the same pair take the place of an older one. Returns the link as it then
 * stands; null when a person has removed it and it is not a person who brings it back.
 * @throws event_not_found, link_refused
 */
export async function putLink(
  db: Queries,
  sessionId: string,
  link: NewCausalLink,
  now: number,
): Promise<LinkRow | null> {
  const cause = await requireEvent(db, sessionId, link.causeId, 'cause_id');
  const effect = await requireEvent(db, sessionId, link.effectId, 'effect_id');
  const before = await findLinkOfPair(db, sessionId, cause.event_no, effect.event_no);
  if (before && outranks(before.judged_by, link.judgedBy)) return before;
  if (
    !before &&
    link.judgedBy !== 'person' &&
    (await wasRemovedByPerson(db, sessionId, cause.event_no, effect.event_no))
  )
    return null;
  await checkLink(db, link.relation, cause, effect);
  const { changeSeq } = await advance(db, sessionId);
  await db.run(
    `INSERT INTO causal_links (session_id, link_id, cause_no, effect_no, relation, confidence, explanation, judged_by,
       stored_at, change_seq)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
     ON CONFLICT (session_id, cause_no, effect_no) DO UPDATE SET relation = excluded.relation,
       confidence = excluded.confidence, explanation = excluded.explanation, judged_by = excluded.judged_by,
       change_seq = excluded.change_seq`,
    sessionId,
    link.linkId,
    cause.event_no,
    effect.event_no,
    link.relation,
    link.confidence,
    link.explanation,
    link.judgedBy,
    now,
    changeSeq,
  );
  return (await findLinkOfPair(db, sessionId, cause.event_no, effect.event_no)) ?? null;
}

async function wasRemovedByPerson(
  db: Queries,
  sessionId: string,
  causeNo: number,
  effectNo: number,
): Promise<boolean> {
  const row = await db.get(
    `SELECT 1 FROM causal_removals WHERE session_id = $1 AND cause_no = $2 AND effect_no = $3 AND kind = 'link'
        AND removed_by = 'person' LIMIT 1`,
    sessionId,
    causeNo,
    effectNo,
  );
  return row !== undefined;
}

/** @throws link_refused */
export async function checkLink(
  db: Queries,
  relation: Relation,
  cause: EventRow,
  effect: EventRow,
): Promise<void> {
  checkEnds(relation, cause, effect);
  if (await closesLoop(db, relation, cause, effect)) throw refused('The link would close a loop.');
}

/** Whether the effect leads back to the cause already. */
async function closesLoop(
  db: Queries,
  relation: Relation,
  cause: EventRow,
  effect: EventRow,
): Promise<boolean> {
  const search = loopSearch(relation, cause, effect);
  if (!search) return false;
  const row = await db.get(
    `WITH RECURSIVE reached (event_no, depth) AS (
       SELECT $2::bigint, 0
       UNION
       SELECT o.effect_no, CASE WHEN $6::integer < 0 THEN 0 ELSE r.depth + 1 END FROM reached r
         JOIN causal_links o ON o.session_id = $1 AND o.cause_no = r.event_no
         JOIN causal_events e ON e.session_id = $1 AND e.event_no = o.effect_no
        WHERE o.relation IN ($4, $5) AND ($6::integer < 0 OR r.depth < $6::integer)
          AND ($6::integer > 0 OR e.happened_at = $7))
     SELECT 1 FROM reached WHERE event_no = $3 LIMIT 1`,
    cause.session_id,
    effect.event_no,
    cause.event_no,
    search.relation,
    search.other,
    search.deep,
    cause.happened_at,
  );
  return row !== undefined;
}

/** The links at an event, for a change or a removal of it. */
export function linksAt(db: Queries, sessionId: string, eventNo: number): Promise<LinkEnds[]> {
  return db.all<LinkEnds>(
    `SELECT link_id, cause_no, effect_no, relation FROM causal_links WHERE session_id = $1 AND cause_no = $2
     UNION ALL
     SELECT link_id, cause_no, effect_no, relation FROM causal_links WHERE session_id = $1 AND effect_no = $2`,
    sessionId,
    eventNo,
  );
}

/** Removes links and leaves their traces, in this order. */
export async function removeLinks(
  db: Queries,
  sessionId: string,
  links: readonly Pick<LinkRow, 'link_id' | 'cause_no' | 'effect_no'>[],
  by: JudgedBy,
  now: number,
): Promise<void> {
  if (links.length === 0) return;
  await db.run(
    'DELETE FROM causal_links WHERE session_id = $1 AND link_id = ANY($2::text[])',
    sessionId,
    links.map((link) => link.link_id),
  );
  await noteRemovals(
    db,
    sessionId,
    links.map((link) => ({
      kind: 'link',
      id: link.link_id,
      causeNo: link.cause_no,
      effectNo: link.effect_no,
    })),
    by,
    now,
  );
}

/** Notes for the projection that events or links are gone, each as a change. */
export async function noteRemovals(
  db: Queries,
  sessionId: string,
  removals: readonly { kind: 'event' | 'link'; id: string; causeNo: number; effectNo: number | null }[],
  by: JudgedBy,
  now: number,
): Promise<void> {
  const { changeSeq } = await advance(db, sessionId, { changes: removals.length });
  const first = changeSeq - removals.length + 1;
  await db.run(
    `INSERT INTO causal_removals (session_id, removed_by, removed_at, change_seq, kind, id, cause_no, effect_no)
     SELECT $1, $2, $3, * FROM unnest($4::bigint[], $5::text[], $6::text[], $7::bigint[], $8::bigint[])`,
    sessionId,
    by,
    now,
    removals.map((_, at) => first + at),
    removals.map(({ kind }) => kind),
    removals.map(({ id }) => id),
    removals.map(({ causeNo }) => causeNo),
    removals.map(({ effectNo }) => effectNo),
  );
}
