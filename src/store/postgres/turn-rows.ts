import { CccError } from '../../base/ccc-error.ts';
import { toJson } from '../json-column.ts';
import type { MostTurns, NewTurn, TurnRecord } from '../records.ts';
import { oldestVersion } from '../rows/analyser-version.ts';
import { requireRoom } from '../rows/session-room.ts';
import { NOTE_VERSION } from './analyser-version.ts';
import { addToCounter } from './counters.ts';
import { storableText, type Queries } from './queries.ts';
import { lockActiveSession } from './session-lock.ts';
import { insertTurnTerms } from './turn-index.ts';

/**
 * Appends turns to a conversation inside the open transaction: numbers them from the conversation's counter, writes
 * their index rows, and keeps all counters and times of last activity.
 * @throws session_not_found, session_archived, session_full, conversation_not_found
 */
export async function insertTurns(
  db: Queries,
  input: {
    sessionId: string;
    conversationId: string;
    turns: NewTurn[];
    maxTurns?: MostTurns | undefined;
    now: number;
  },
): Promise<TurnRecord[]> {
  const { sessionId, conversationId, turns, maxTurns, now } = input;
  const { totalTurns } = await lockActiveSession(db, sessionId);
  requireRoom({ totalTurns, added: turns.length, maxTurns });
  const conversation = await db.get<{ ordinal: number; turn_count: number }>(
    `UPDATE conversations SET turn_count = turn_count + $3, last_active = greatest(last_active, $4)
      WHERE session_id = $1 AND conversation_id = $2 RETURNING ordinal, turn_count`,
    sessionId,
    conversationId,
    turns.length,
    now,
  );
  if (!conversation) throw new CccError('conversation_not_found');
  if (turns.length === 0) return [];
  await db.run(
    `UPDATE sessions SET total_turns = total_turns + $2, last_active = greatest(last_active, $3), ${NOTE_VERSION('$4')}
      WHERE session_id = $1`,
    sessionId,
    turns.length,
    now,
    oldestVersion(turns.map(({ terms }) => terms)),
  );
  await addToCounter(db, 'turns', turns.length);

  const first = conversation.turn_count - turns.length + 1;
  const records = turns.map(({ terms: _, ...fields }, i): TurnRecord => ({
    sessionId,
    conversationId,
    ...fields,
    content: storableText(fields.content),
    turnNumber: first + i,
    storedAt: now,
  }));
  await insertTurnRows(db, sessionId, records);
  await insertTurnTerms(
    db,
    sessionId,
    turns.map(({ timestamp, speaker, agent, terms }, i) => ({
      conversationOrdinal: conversation.ordinal,
      turnNumber: first + i,
      timestamp,
      speaker: speaker ?? agent,
      terms,
    })),
  );
  return records;
}

/** Writes numbered turns of one session. Counters and index rows are the caller's. */
export async function insertTurnRows(
  db: Queries,
  sessionId: string,
  turns: readonly TurnRecord[],
): Promise<void> {
  const metadata = turns.map((turn) => toJson(turn.metadata));
  await db.run(
    `INSERT INTO turns (session_id, conversation_id, turn_number, turn_id, agent, kind, speaker, timestamp, stored_at,
       cycle_id, metadata, content, thread_key, tells_usage, is_masked)
     SELECT $1, * FROM unnest($2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[],
       $9::bigint[], $10::text[], $11::text[], $12::text[], $13::text[], $14::boolean[], $15::boolean[])`,
    sessionId,
    turns.map((turn) => turn.conversationId),
    turns.map((turn) => turn.turnNumber),
    turns.map((turn) => turn.turnId),
    turns.map((turn) => turn.agent),
    turns.map((turn) => turn.kind),
    turns.map((turn) => turn.speaker),
    turns.map((turn) => turn.timestamp),
    turns.map((turn) => turn.storedAt),
    turns.map((turn) => turn.cycleId),
    metadata,
    turns.map((turn) => turn.content),
    turns.map(({ metadata: { thread_key: key } }) => (typeof key === 'string' ? key : null)),
    metadata.map((json) => json.includes('"usage"')),
    turns.map(({ metadata: { masked_secrets: masked } }) => masked !== undefined && masked !== null),
  );
}
