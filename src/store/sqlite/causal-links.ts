import type { Database } from 'better-sqlite3';
import type { JudgedBy, NewCausalLink, Relation } from '../causal-store.ts';
import { checkEnds, loopSearch, outranks, refused } from '../rows/causal-rules.ts';
import type { EventRow, LinkRow } from '../rows/causal-rows.ts';
import { advance, findLinkOfPair, LINKS_BY_CAUSE, requireEvent } from './causal-rows.ts';
import { prepared } from './connection.ts';

/**
 * Stores a link, or lets a new judgement of the same pair take the place of an older one. Returns the link as it then
 * stands; null when a person has removed it and it is not a person who brings it back.
 * @throws event_not_found, link_refused
 */
export function putLink(
  database: Database,
  sessionId: string,
  link: NewCausalLink,
  now: number,
): LinkRow | null {
  const cause = requireEvent(database, sessionId, link.causeId, 'cause_id');
  const effect = requireEvent(database, sessionId, link.effectId, 'effect_id');
  const before = findLinkOfPair(database, sessionId, cause.event_no, effect.event_no);
  if (before && outranks(before.judged_by, link.judgedBy)) return before;
  if (
    !before &&
    link.judgedBy !== 'person' &&
    wasRemovedByPerson(database, sessionId, cause.event_no, effect.event_no)
  )
    return null;
  checkLink(database, link.relation, cause, effect);
  prepared(
    database,
    `INSERT INTO causal_links (session_id, link_id, cause_no, effect_no, relation, confidence, explanation, judged_by,
       stored_at, change_seq)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (session_id, cause_no, effect_no) DO UPDATE SET relation = excluded.relation,
       confidence = excluded.confidence, explanation = excluded.explanation, judged_by = excluded.judged_by,
       change_seq = excluded.change_seq`,
  ).run(
    sessionId,
    link.linkId,
    cause.event_no,
    effect.event_no,
    link.relation,
    link.confidence,
    link.explanation,
    link.judgedBy,
    now,
    advance(database, sessionId).changeSeq,
  );
  return findLinkOfPair(database, sessionId, cause.event_no, effect.event_no) ?? null;
}

function wasRemovedByPerson(
  database: Database,
  sessionId: string,
  causeNo: number,
  effectNo: number,
): boolean {
  return (
    prepared(
      database,
      `SELECT 1 FROM causal_removals INDEXED BY causal_removals_by_pair WHERE session_id = ? AND cause_no = ? AND effect_no = ? AND kind = 'link'
         AND removed_by = 'person' LIMIT 1`,
    ).get(sessionId, causeNo, effectNo) !== undefined
  );
}

/** @throws link_refused */
export function checkLink(database: Database, relation: Relation, cause: EventRow, effect: EventRow): void {
  checkEnds(relation, cause, effect);
  if (closesLoop(database, relation, cause, effect)) throw refused('The link would close a loop.');
}

/** Whether the effect leads back to the cause already. */
function closesLoop(database: Database, relation: Relation, cause: EventRow, effect: EventRow): boolean {
  const search = loopSearch(relation, cause, effect);
  if (!search) return false;
  return (
    prepared(
      database,
      `WITH RECURSIVE reached (event_no, depth) AS (
         SELECT @from, 0
         UNION
         SELECT o.effect_no, iif(@deep < 0, 0, r.depth + 1) FROM reached r
           CROSS JOIN ${LINKS_BY_CAUSE} ON o.session_id = @sessionId AND o.cause_no = r.event_no
           CROSS JOIN causal_events e ON e.session_id = @sessionId AND e.event_no = o.effect_no
          WHERE o.relation IN (@relation, @other) AND (@deep < 0 OR r.depth < @deep)
            AND (@deep > 0 OR e.happened_at = @at))
       SELECT 1 FROM reached WHERE event_no = @to LIMIT 1`,
    ).get({
      sessionId: cause.session_id,
      from: effect.event_no,
      to: cause.event_no,
      at: cause.happened_at,
      ...search,
    }) !== undefined
  );
}

/** The links at an event, for a change or a removal of it. */
export function linksAt(
  database: Database,
  sessionId: string,
  eventNo: number,
): Pick<LinkRow, 'link_id' | 'cause_no' | 'effect_no' | 'relation'>[] {
  return prepared(
    database,
    `SELECT link_id, cause_no, effect_no, relation FROM causal_links INDEXED BY sqlite_autoindex_causal_links_2
      WHERE session_id = @sessionId AND cause_no = @eventNo
     UNION ALL
     SELECT link_id, cause_no, effect_no, relation FROM causal_links INDEXED BY causal_links_by_effect
      WHERE session_id = @sessionId AND effect_no = @eventNo`,
  ).all({ sessionId, eventNo }) as Pick<LinkRow, 'link_id' | 'cause_no' | 'effect_no' | 'relation'>[];
}

/** Removes a link and leaves its trace. */
export function removeLink(
  database: Database,
  sessionId: string,
  link: Pick<LinkRow, 'link_id' | 'cause_no' | 'effect_no'>,
  by: JudgedBy,
  now: number,
): void {
  prepared(database, 'DELETE FROM causal_links WHERE session_id = ? AND link_id = ?').run(
    sessionId,
    link.link_id,
  );
  noteRemoval(database, sessionId, {
    kind: 'link',
    id: link.link_id,
    causeNo: link.cause_no,
    effectNo: link.effect_no,
    by,
    now,
  });
}

export function noteRemoval(
  database: Database,
  sessionId: string,
  removal: {
    kind: 'event' | 'link';
    id: string;
    causeNo: number;
    effectNo: number | null;
    by: JudgedBy;
    now: number;
  },
): void {
  prepared(
    database,
    `INSERT INTO causal_removals (session_id, change_seq, kind, id, cause_no, effect_no, removed_by, removed_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  ).run(
    sessionId,
    advance(database, sessionId).changeSeq,
    removal.kind,
    removal.id,
    removal.causeNo,
    removal.effectNo,
    removal.by,
    removal.now,
  );
}
