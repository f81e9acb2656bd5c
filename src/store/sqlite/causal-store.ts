import type { Database } from 'better-sqlite3';
import type {
  CausalEventRecord,
  CausalHead,
  CausalLinkRecord,
  CausalStore,
  NewCausalLink,
} from '../causal-store.ts';
import { readChanges } from './causal-changes.ts';
import { removeEventRow } from './causal-removal.ts';
import { checkLink, linksAt, putLink, removeLink } from './causal-links.ts';
import { checkLinkTime, USE_NOTED_EVERY_MS } from '../rows/causal-rules.ts';
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
import {
  advance,
  findEvent,
  findLink,
  indexEvent,
  RANKED_COLUMNS,
  SHOWN,
  unindexEvent,
} from './causal-rows.ts';
import { searchEvents } from './causal-lexical.ts';
import { chainEnds, inForce, recentEvents } from './causal-search.ts';
import { blankVector } from './causal-vectors.ts';
import { CccError } from '../../base/ccc-error.ts';
import { prepared } from './connection.ts';
import { readCounters } from './counters.ts';
import { insertJobs } from './job-rows.ts';
import type { StoreModule } from './store-module.ts';
import { requireSession } from './turn-rows.ts';

export const causalModule: StoreModule<CausalStore> = {
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
  // A person who takes an event out wants its words gone.
  erases: ['removeEvent'],
  create: (database) => ({
    addEvents: (input) => addEvents(database, input),
    changeEvent: (input) => changeEvent(database, input),
    removeEvent: (input) => removeEventRow(database, input),
    addLinks: ({ sessionId, links, now }) => {
      requireSession(database, sessionId);
      return links.flatMap((link) => {
        const row = putLink(database, sessionId, link, now);
        return row ? [linkFromRow(row)] : [];
      });
    },
    changeLink: (input) => changeLink(database, input),
    removeLink: ({ sessionId, linkId, by, now }) => {
      requireSession(database, sessionId);
      const link = findLink(database, sessionId, linkId);
      if (link) removeLink(database, sessionId, link, by, now);
      return link !== undefined;
    },
    settle: (input) => settle(database, input),
    use: ({ sessionId, eventNos, now }) => {
      const statement = prepared(
        database,
        'UPDATE causal_events SET last_used = ? WHERE session_id = ? AND event_no = ? AND last_used < ?',
      );
      for (const eventNo of eventNos) statement.run(now, sessionId, eventNo, now - USE_NOTED_EVERY_MS);
    },

    getEvent: (sessionId, eventId) => {
      const row = prepared(
        database,
        `SELECT * FROM causal_events WHERE session_id = @sessionId AND event_id = @eventId AND ${SHOWN}`,
      ).get({ sessionId, eventId }) as EventRow | undefined;
      return row ? eventFromRow(row) : null;
    },
    eventsByNo: (sessionId, eventNos) => {
      const read = prepared(
        database,
        `SELECT ${RANKED_COLUMNS} FROM causal_events e WHERE e.session_id = @sessionId AND e.event_no = @eventNo AND ${SHOWN}`,
      );
      return eventNos.flatMap((eventNo) => {
        const row = read.get({ sessionId, eventNo }) as RankedRow | undefined;
        return row ? [rankedFromRow(row)] : [];
      });
    },
    getLink: (sessionId, linkId) => {
      const row = findLink(database, sessionId, linkId);
      return row ? linkFromRow(row) : null;
    },
    linksAmong: (sessionId, eventNos) => linksAmong(database, sessionId, eventNos),
    recentEvents: (input) => recentEvents(database, input),
    inForce: (input) => inForce(database, input),
    search: (input) => searchEvents(database, input),
    chainEnds: (sessionId, eventNos) => chainEnds(database, sessionId, eventNos),
    progress: (sessionId, conversationId) =>
      (prepared(
        database,
        'SELECT through_turn FROM causal_progress WHERE session_id = ? AND conversation_id = ?',
      )
        .pluck()
        .get(sessionId, conversationId) as number | undefined) ?? 0,

    changesSince: (sessionId, after, limit) => readChanges(database, sessionId, after, limit),
    head: (sessionId) => {
      const row = prepared(
        database,
        `SELECT session_key, coalesce(change_seq, 0) AS change_seq FROM sessions LEFT JOIN causal_heads USING (session_id)
          WHERE session_id = ? AND status <> 'importing'`,
      ).get(sessionId) as { session_key: number; change_seq: number } | undefined;
      return row ? { sessionId, sessionKey: row.session_key, changeSeq: row.change_seq } : null;
    },
    heads: (afterKey, limit) =>
      (
        prepared(
          database,
          `SELECT s.session_id, s.session_key, h.change_seq FROM sessions s JOIN causal_heads h USING (session_id)
            WHERE s.session_key > ? AND s.status <> 'importing' ORDER BY s.session_key LIMIT +?`,
        ).all(afterKey, limit) as { session_id: string; session_key: number; change_seq: number }[]
      ).map((row): CausalHead => ({
        sessionId: row.session_id,
        sessionKey: row.session_key,
        changeSeq: row.change_seq,
      })),
    counts: () => {
      const counters = readCounters(database);
      return {
        events: counters.causal_events,
        links: counters.causal_links,
        changes: counters.causal_changes,
      };
    },
  }),
};

function addEvents(
  database: Database,
  { sessionId, events, links = [], jobs, progress, now }: Parameters<CausalStore['addEvents']>[0],
): CausalEventRecord[] {
  const { sessionKey } = requireSession(database, sessionId);
  if (progress) {
    prepared(
      database,
      `INSERT INTO causal_progress (session_id, conversation_id, through_turn) VALUES (?, ?, ?)
       ON CONFLICT (session_id, conversation_id) DO UPDATE SET through_turn = max(through_turn, excluded.through_turn)`,
    ).run(sessionId, progress.conversationId, progress.throughTurn);
  }
  const { length } = events;
  const { changeSeq, lastEventNo } =
    length === 0
      ? { changeSeq: 0, lastEventNo: 0 }
      : advance(database, sessionId, { changes: length, events: length });
  const insert = prepared(
    database,
    `INSERT INTO causal_events (session_id, event_no, event_id, conversation_id, source_turn_id, text, actor,
       happened_at, stored_at, recorded_by, judged, last_used, change_seq)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const stored = events.map(({ terms, ...event }, at): CausalEventRecord => {
    checkSource(database, sessionId, event.conversationId, event.sourceTurnId);
    const eventNo = lastEventNo - length + 1 + at;
    const record: CausalEventRecord = {
      sessionId,
      ...event,
      eventNo,
      storedAt: now,
      lastUsed: now,
      changeSeq: changeSeq - length + 1 + at,
    };
    insert.run(
      sessionId,
      eventNo,
      record.eventId,
      record.conversationId,
      record.sourceTurnId,
      record.text,
      record.actor,
      record.happenedAt,
      now,
      record.recordedBy,
      record.judged ? 1 : 0,
      now,
      record.changeSeq,
    );
    indexEvent(database, sessionKey, eventNo, terms);
    return record;
  });
  putAllowed(database, sessionId, links, now);
  insertJobs(database, sessionId, jobs, now);
  return stored;
}

/** @throws conversation_not_found, turn_not_found: what an event names has to be of its session */
function checkSource(
  database: Database,
  sessionId: string,
  conversationId: string | null,
  turnId: string | null,
): void {
  if (
    conversationId !== null &&
    !prepared(database, 'SELECT 1 FROM conversations WHERE session_id = ? AND conversation_id = ?').get(
      sessionId,
      conversationId,
    )
  ) {
    throw new CccError('conversation_not_found', undefined, { param: 'conversation_id' });
  }
  if (
    turnId !== null &&
    !prepared(database, 'SELECT 1 FROM turns WHERE session_id = ? AND turn_id = ?').get(sessionId, turnId)
  ) {
    throw new CccError('turn_not_found', undefined, { param: 'source_turn_id' });
  }
}

function changeEvent(
  database: Database,
  { sessionId, eventId, change, jobs = [], now }: Parameters<CausalStore['changeEvent']>[0],
): CausalEventRecord | null {
  const { sessionKey } = requireSession(database, sessionId);
  const row = findEvent(database, sessionId, eventId);
  if (!row) return null;
  const after: EventRow = {
    ...row,
    text: change.text?.text ?? row.text,
    actor: change.actor === undefined ? row.actor : change.actor,
    happened_at: change.happenedAt ?? row.happened_at,
    recorded_by: 'person',
    change_seq: advance(database, sessionId).changeSeq,
  };
  if (after.happened_at !== row.happened_at) checkTime(database, after);
  prepared(
    database,
    `UPDATE causal_events SET text = ?, actor = ?, happened_at = ?, recorded_by = ?, change_seq = ?
      WHERE session_id = ? AND event_no = ?`,
  ).run(
    after.text,
    after.actor,
    after.happened_at,
    after.recorded_by,
    after.change_seq,
    sessionId,
    row.event_no,
  );
  if (change.text) {
    unindexEvent(database, sessionKey, row.event_no);
    indexEvent(database, sessionKey, row.event_no, change.text.terms);
    blankVector(database, sessionId, row.event_no);
  }
  insertJobs(database, sessionId, jobs, now);
  return eventFromRow(after);
}

/** @throws link_refused when a link of the event would go back in time */
function checkTime(database: Database, event: EventRow): void {
  const timeOf = prepared(
    database,
    'SELECT happened_at FROM causal_events WHERE session_id = ? AND event_no = ?',
  ).pluck();
  for (const link of linksAt(database, event.session_id, event.event_no)) {
    const other = link.cause_no === event.event_no ? link.effect_no : link.cause_no;
    checkLinkTime(link, event, timeOf.get(event.session_id, other) as number);
  }
}

function changeLink(
  database: Database,
  { sessionId, linkId, change }: Parameters<CausalStore['changeLink']>[0],
): CausalLinkRecord | null {
  requireSession(database, sessionId);
  const row = findLink(database, sessionId, linkId);
  if (!row) return null;
  const relation = change.relation ?? row.relation;
  const cause = findEvent(database, sessionId, row.cause_id);
  const effect = findEvent(database, sessionId, row.effect_id);
  if (relation !== row.relation && cause && effect) checkLink(database, relation, cause, effect);
  prepared(
    database,
    `UPDATE causal_links SET relation = ?, confidence = ?, explanation = ?, judged_by = 'person', change_seq = ?
      WHERE session_id = ? AND link_id = ?`,
  ).run(
    relation,
    change.confidence ?? row.confidence,
    change.explanation ?? row.explanation,
    advance(database, sessionId).changeSeq,
    sessionId,
    linkId,
  );
  const after = findLink(database, sessionId, linkId);
  return after ? linkFromRow(after) : null;
}

function settle(
  database: Database,
  { sessionId, eventIds, links, now }: Parameters<CausalStore['settle']>[0],
): { links: CausalLinkRecord[]; refused: number } {
  requireSession(database, sessionId);
  const stored = putAllowed(database, sessionId, links, now);
  const mark = prepared(
    database,
    'UPDATE causal_events SET judged = 1 WHERE session_id = ? AND event_id = ?',
  );
  for (const eventId of eventIds) mark.run(sessionId, eventId);
  return { links: stored, refused: links.length - stored.length };
}

/** Stores the links that may be: an event that was removed meanwhile, or a link that cannot be, takes no other along. */
function putAllowed(
  database: Database,
  sessionId: string,
  links: NewCausalLink[],
  now: number,
): CausalLinkRecord[] {
  return links.flatMap((link) => {
    try {
      const row = putLink(database, sessionId, link, now);
      return row ? [linkFromRow(row)] : [];
    } catch (error) {
      if (!(error instanceof CccError)) throw error;
      return [];
    }
  });
}

function linksAmong(database: Database, sessionId: string, eventNos: number[]): CausalLinkRecord[] {
  const wanted = new Set(eventNos);
  const read = prepared(
    database,
    `SELECT ${LINK_COLUMNS} FROM ${LINK_TABLES} WHERE l.session_id = @sessionId AND l.cause_no = @causeNo AND ${SHOWN}
      ORDER BY l.effect_no`,
  );
  return [...wanted].flatMap((causeNo) =>
    (read.all({ sessionId, causeNo }) as LinkRow[])
      .filter((row) => wanted.has(row.effect_no))
      .map(linkFromRow),
  );
}
