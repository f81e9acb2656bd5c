import { CccError } from '../../base/ccc-error.ts';
import type { CausalEventRecord, CausalStore, NewCausalEvent } from '../causal-store.ts';
import { checkLinkTime } from '../rows/causal-rules.ts';
import { eventFromRow, type EventRow } from '../rows/causal-rows.ts';
import { linksAt } from './causal-links.ts';
import { advance, findEvent } from './causal-rows.ts';
import { indexEvents, removeEventTerms } from './causal-terms.ts';
import { blankVector } from './causal-vectors.ts';
import { insertJobs } from './job-rows.ts';
import { storableText, type Queries } from './queries.ts';
import { lockSession } from './session-lock.ts';

/** Stores events with their index entries, for whoever has the session's lock. @throws conversation_not_found, turn_not_found */
export async function insertEvents(
  db: Queries,
  sessionId: string,
  events: readonly NewCausalEvent[],
  now: number,
): Promise<CausalEventRecord[]> {
  const { length } = events;
  if (length === 0) return [];
  await checkSources(db, sessionId, events);
  const { changeSeq, lastEventNo } = await advance(db, sessionId, { changes: length, events: length });
  const stored = events.map(({ terms: _, ...event }, at): CausalEventRecord => ({
    sessionId,
    ...event,
    eventNo: lastEventNo - length + 1 + at,
    storedAt: now,
    lastUsed: now,
    changeSeq: changeSeq - length + 1 + at,
  }));
  await db.run(
    `INSERT INTO causal_events (session_id, stored_at, last_used, event_no, event_id, conversation_id, source_turn_id,
       text, actor, happened_at, recorded_by, judged, change_seq)
     SELECT $1, $2, $2, * FROM unnest($3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
       $9::bigint[], $10::text[], $11::smallint[], $12::bigint[])`,
    sessionId,
    now,
    stored.map(({ eventNo }) => eventNo),
    stored.map(({ eventId }) => eventId),
    stored.map(({ conversationId }) => conversationId),
    stored.map(({ sourceTurnId }) => sourceTurnId),
    stored.map(({ text }) => text),
    stored.map(({ actor }) => actor),
    stored.map(({ happenedAt }) => happenedAt),
    stored.map(({ recordedBy }) => recordedBy),
    stored.map(({ judged }) => Number(judged)),
    stored.map((event) => event.changeSeq),
  );
  await indexEvents(
    db,
    sessionId,
    events.map(({ terms }, at) => ({ eventNo: stored[at]?.eventNo ?? 0, terms })),
  );
  return stored;
}

/** @throws conversation_not_found, turn_not_found: what an event names has to be of its session */
async function checkSources(
  db: Queries,
  sessionId: string,
  events: readonly NewCausalEvent[],
): Promise<void> {
  const known = async (table: string, column: string, ids: (string | null)[]) => {
    const asked = [...new Set(ids.filter((id) => id !== null))];
    if (asked.length === 0) return new Set<string>();
    const rows = await db.all<{ id: string }>(
      `SELECT ${column} AS id FROM ${table} WHERE session_id = $1 AND ${column} = ANY($2::text[])`,
      sessionId,
      asked,
    );
    return new Set(rows.map(({ id }) => id));
  };
  const conversations = await known(
    'conversations',
    'conversation_id',
    events.map(({ conversationId }) => conversationId),
  );
  const turns = await known(
    'turns',
    'turn_id',
    events.map(({ sourceTurnId }) => sourceTurnId),
  );
  for (const { conversationId, sourceTurnId } of events) {
    if (conversationId !== null && !conversations.has(conversationId)) {
      throw new CccError('conversation_not_found', undefined, { param: 'conversation_id' });
    }
    if (sourceTurnId !== null && !turns.has(sourceTurnId)) {
      throw new CccError('turn_not_found', undefined, { param: 'source_turn_id' });
    }
  }
}

export async function changeEvent(
  db: Queries,
  { sessionId, eventId, change, jobs = [], now }: Parameters<CausalStore['changeEvent']>[0],
): Promise<CausalEventRecord | null> {
  await lockSession(db, sessionId);
  const row = await findEvent(db, sessionId, eventId);
  if (!row) return null;
  const after: EventRow = {
    ...row,
    text: change.text ? storableText(change.text.text) : row.text,
    actor: change.actor ? storableText(change.actor) : change.actor === undefined ? row.actor : change.actor,
    happened_at: change.happenedAt ?? row.happened_at,
    recorded_by: 'person',
    change_seq: (await advance(db, sessionId)).changeSeq,
  };
  if (after.happened_at !== row.happened_at) await checkTime(db, after);
  await db.run(
    `UPDATE causal_events SET text = $3, actor = $4, happened_at = $5, recorded_by = $6, change_seq = $7
      WHERE session_id = $1 AND event_no = $2`,
    sessionId,
    row.event_no,
    after.text,
    after.actor,
    after.happened_at,
    after.recorded_by,
    after.change_seq,
  );
  if (change.text) {
    await removeEventTerms(db, sessionId, row.event_no);
    await indexEvents(db, sessionId, [{ eventNo: row.event_no, terms: change.text.terms }]);
    await blankVector(db, sessionId, row.event_no);
  }
  await insertJobs(db, sessionId, jobs, now);
  return eventFromRow(after);
}

/** @throws link_refused when a link of the event would go back in time */
async function checkTime(db: Queries, event: EventRow): Promise<void> {
  const links = await linksAt(db, event.session_id, event.event_no);
  const otherOf = (link: (typeof links)[number]) =>
    link.cause_no === event.event_no ? link.effect_no : link.cause_no;
  const rows = await db.all<{ event_no: number; happened_at: number }>(
    'SELECT event_no, happened_at FROM causal_events WHERE session_id = $1 AND event_no = ANY($2::bigint[])',
    event.session_id,
    links.map(otherOf),
  );
  const times = new Map(rows.map((row) => [row.event_no, row.happened_at]));
  for (const link of links) checkLinkTime(link, event, times.get(otherOf(link)) ?? 0);
}
