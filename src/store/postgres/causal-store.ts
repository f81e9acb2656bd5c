import { CccError } from '../../base/ccc-error.ts';
import type {
  CausalEventRecord,
  CausalHead,
  CausalLinkRecord,
  CausalStore,
  NewCausalLink,
} from '../causal-store.ts';
import {
  eventFromRow,
  LINK_COLUMNS,
  LINK_TABLES,
  linkFromRow,
  rankedFromRow,
  type EventRow,
  type LinkRow,
  type RankedRow,
} from '../rows/causal-rows.ts';
import { USE_NOTED_EVERY_MS } from '../rows/causal-rules.ts';
import { readChanges } from './causal-changes.ts';
import { changeEvent, insertEvents } from './causal-events.ts';
import { searchEvents } from './causal-lexical.ts';
import { checkLink, putLink, removeLinks } from './causal-links.ts';
import { removeEventRow } from './causal-removal.ts';
import { advance, findEvent, findLink, RANKED_COLUMNS, SHOWN } from './causal-rows.ts';
import { chainEnds, inForce, recentEvents } from './causal-search.ts';
import { readCounters } from './counters.ts';
import { insertJobs } from './job-rows.ts';
import type { PostgresModule } from './postgres-module.ts';
import type { Queries } from './queries.ts';
import { lockSession } from './session-lock.ts';

export const causalModule: PostgresModule<CausalStore> = {
  writes: [
    'addEvents',
    'changeEvent',
    'removeEvent',
    'addLinks',
    'changeLink',
    'removeLink',
    'settle',
    'use',
  ],
  snapshots: ['changesSince', 'search'],
  create: (db) => ({
    addEvents: (input) => addEvents(db, input),
    changeEvent: (input) => changeEvent(db, input),
    async removeEvent(input) {
      await lockSession(db, input.sessionId);
      return removeEventRow(db, input);
    },
    async addLinks({ sessionId, links, now }) {
      await lockSession(db, sessionId);
      const stored: CausalLinkRecord[] = [];
      for (const link of links) {
        const row = await putLink(db, sessionId, link, now);
        if (row) stored.push(linkFromRow(row));
      }
      return stored;
    },
    changeLink: (input) => changeLink(db, input),
    async removeLink({ sessionId, linkId, by, now }) {
      await lockSession(db, sessionId);
      const link = await findLink(db, sessionId, linkId);
      if (link) await removeLinks(db, sessionId, [link], by, now);
      return link !== undefined;
    },
    settle: (input) => settle(db, input),
    async use({ sessionId, eventNos, now }) {
      await db.run(
        `UPDATE causal_events SET last_used = $3
          WHERE session_id = $1 AND event_no = ANY($2::bigint[]) AND last_used < $4`,
        sessionId,
        eventNos,
        now,
        now - USE_NOTED_EVERY_MS,
      );
    },

    async getEvent(sessionId, eventId) {
      const row = await db.get<EventRow>(
        `SELECT * FROM causal_events WHERE session_id = $1 AND event_id = $2 AND ${SHOWN}`,
        sessionId,
        eventId,
      );
      return row ? eventFromRow(row) : null;
    },
    async eventsByNo(sessionId, eventNos) {
      const rows = await db.all<RankedRow>(
        `SELECT ${RANKED_COLUMNS} FROM causal_events e
          WHERE e.session_id = $1 AND e.event_no = ANY($2::bigint[]) AND ${SHOWN}`,
        sessionId,
        eventNos,
      );
      const found = new Map(rows.map((row) => [row.event_no, rankedFromRow(row)]));
      return eventNos.flatMap((eventNo) => found.get(eventNo) ?? []);
    },
    async getLink(sessionId, linkId) {
      const row = await findLink(db, sessionId, linkId);
      return row ? linkFromRow(row) : null;
    },
    async linksAmong(sessionId, eventNos) {
      const wanted = [...new Set(eventNos)];
      const rows = await db.all<LinkRow>(
        `SELECT ${LINK_COLUMNS} FROM ${LINK_TABLES}
          WHERE l.session_id = $1 AND l.cause_no = ANY($2::bigint[]) AND l.effect_no = ANY($2::bigint[]) AND ${SHOWN}
          ORDER BY array_position($2::bigint[], l.cause_no), l.effect_no`,
        sessionId,
        wanted,
      );
      return rows.map(linkFromRow);
    },
    recentEvents: (input) => recentEvents(db, input),
    inForce: (input) => inForce(db, input),
    search: (input) => searchEvents(db, input),
    chainEnds: (sessionId, eventNos) => chainEnds(db, sessionId, eventNos),
    progress: async (sessionId, conversationId) =>
      (await db.value<number>(
        'SELECT through_turn FROM causal_progress WHERE session_id = $1 AND conversation_id = $2',
        sessionId,
        conversationId,
      )) ?? 0,

    changesSince: (sessionId, after, limit) => readChanges(db, sessionId, after, limit),
    async head(sessionId) {
      const row = await db.get<CausalHead>(
        `SELECT session_id AS "sessionId", session_key AS "sessionKey", coalesce(change_seq, 0) AS "changeSeq"
           FROM sessions LEFT JOIN causal_heads USING (session_id)
          WHERE session_id = $1 AND status <> 'importing'`,
        sessionId,
      );
      return row ?? null;
    },
    heads: (afterKey, limit) =>
      db.all<CausalHead>(
        `SELECT s.session_id AS "sessionId", s.session_key AS "sessionKey", h.change_seq AS "changeSeq"
           FROM sessions s JOIN causal_heads h USING (session_id)
          WHERE s.session_key > $1 AND s.status <> 'importing' ORDER BY s.session_key LIMIT $2`,
        afterKey,
        limit,
      ),
    async counts() {
      const counters = await readCounters(db);
      return {
        events: counters.causal_events,
        links: counters.causal_links,
        changes: counters.causal_changes,
      };
    },
  }),
};

async function addEvents(
  db: Queries,
  { sessionId, events, links = [], jobs, progress, now }: Parameters<CausalStore['addEvents']>[0],
): Promise<CausalEventRecord[]> {
  await lockSession(db, sessionId);
  if (progress) {
    await db.run(
      `INSERT INTO causal_progress AS p (session_id, conversation_id, through_turn) VALUES ($1, $2, $3)
       ON CONFLICT (session_id, conversation_id)
         DO UPDATE SET through_turn = greatest(p.through_turn, excluded.through_turn)`,
      sessionId,
      progress.conversationId,
      progress.throughTurn,
    );
  }
  const stored = await insertEvents(db, sessionId, events, now);
  await putAllowed(db, sessionId, links, now);
  await insertJobs(db, sessionId, jobs, now);
  return stored;
}

async function changeLink(
  db: Queries,
  { sessionId, linkId, change }: Parameters<CausalStore['changeLink']>[0],
): Promise<CausalLinkRecord | null> {
  await lockSession(db, sessionId);
  const row = await findLink(db, sessionId, linkId);
  if (!row) return null;
  const relation = change.relation ?? row.relation;
  const cause = await findEvent(db, sessionId, row.cause_id);
  const effect = await findEvent(db, sessionId, row.effect_id);
  if (relation !== row.relation && cause && effect) await checkLink(db, relation, cause, effect);
  await db.run(
    `UPDATE causal_links SET relation = $3, confidence = $4, explanation = $5, judged_by = 'person', change_seq = $6
      WHERE session_id = $1 AND link_id = $2`,
    sessionId,
    linkId,
    relation,
    change.confidence ?? row.confidence,
    change.explanation ?? row.explanation,
    (await advance(db, sessionId)).changeSeq,
  );
  const after = await findLink(db, sessionId, linkId);
  return after ? linkFromRow(after) : null;
}

async function settle(
  db: Queries,
  { sessionId, eventIds, links, now }: Parameters<CausalStore['settle']>[0],
): Promise<{ links: CausalLinkRecord[]; refused: number }> {
  await lockSession(db, sessionId);
  const stored = await putAllowed(db, sessionId, links, now);
  await db.run(
    'UPDATE causal_events SET judged = 1 WHERE session_id = $1 AND event_id = ANY($2::text[])',
    sessionId,
    eventIds,
  );
  return { links: stored, refused: links.length - stored.length };
}

/** Stores the links that may be: an event that was removed meanwhile, or a link that cannot be, takes no other along. */
async function putAllowed(
  db: Queries,
  sessionId: string,
  links: readonly NewCausalLink[],
  now: number,
): Promise<CausalLinkRecord[]> {
  const stored: CausalLinkRecord[] = [];
  for (const link of links) {
    try {
      const row = await putLink(db, sessionId, link, now);
      if (row) stored.push(linkFromRow(row));
    } catch (error) {
      // Refused before anything was written: the transaction goes on.
      if (!(error instanceof CccError)) throw error;
    }
  }
  return stored;
}
