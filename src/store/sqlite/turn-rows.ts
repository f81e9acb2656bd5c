import type { Database } from 'better-sqlite3';
import { CccError } from '../../base/ccc-error.ts';
import type { MostTurns, NewTurn, TurnRecord } from '../records.ts';
import { prepared } from './connection.ts';
import { addToCounter } from './counters.ts';
import { toJson } from '../json-column.ts';
import { oldestVersion } from '../rows/analyser-version.ts';
import { requireRoom } from '../rows/session-room.ts';
import { NOTE_VERSION } from './analyser-version.ts';
import { insertTurnTerms } from './turn-index.ts';

/** @throws session_not_found. An archived session still takes states, summaries and jobs, only no new turns. */
export function requireSession(
  database: Database,
  sessionId: string,
): { sessionKey: number; archived: boolean; totalTurns: number } {
  const row = prepared(
    database,
    'SELECT session_key, status, total_turns FROM sessions WHERE session_id = ?',
  ).get(sessionId) as { session_key: number; status: string; total_turns: number } | undefined;
  if (!row || row.status === 'importing') throw new CccError('session_not_found');
  return {
    sessionKey: row.session_key,
    archived: row.status === 'archived',
    totalTurns: row.total_turns,
  };
}

/**
 * The session's key for index tables, when it takes new turns.
 * @throws session_not_found, session_archived
 */
export function requireActiveSession(
  database: Database,
  sessionId: string,
): { sessionKey: number; totalTurns: number } {
  const { archived, ...session } = requireSession(database, sessionId);
  if (archived) throw new CccError('session_archived');
  return session;
}

/**
 * Appends turns to a conversation inside the open transaction: numbers them from the conversation's counter, writes
 * their index rows, and keeps all counters and times of last activity.
 * @throws session_not_found, session_archived, session_full, conversation_not_found
 */
export function insertTurns(
  database: Database,
  input: {
    sessionId: string;
    conversationId: string;
    turns: NewTurn[];
    maxTurns?: MostTurns | undefined;
    now: number;
  },
): TurnRecord[] {
  const { sessionId, conversationId, turns, maxTurns, now } = input;
  const { sessionKey, totalTurns } = requireActiveSession(database, sessionId);
  requireRoom({ totalTurns, added: turns.length, maxTurns });
  const conversation = prepared(
    database,
    `UPDATE conversations SET turn_count = turn_count + ?, last_active = max(last_active, ?)
      WHERE session_id = ? AND conversation_id = ? RETURNING ordinal, turn_count`,
  ).get(turns.length, now, sessionId, conversationId) as { ordinal: number; turn_count: number } | undefined;
  if (!conversation) throw new CccError('conversation_not_found');
  if (turns.length === 0) return [];
  prepared(
    database,
    `UPDATE sessions SET total_turns = total_turns + @added, last_active = max(last_active, @now),
       ${NOTE_VERSION} WHERE session_id = @sessionId`,
  ).run({ added: turns.length, now, version: oldestVersion(turns.map(({ terms }) => terms)), sessionId });
  addToCounter(database, 'turns', turns.length);

  const first = conversation.turn_count - turns.length + 1;
  return turns.map((turn, i) => {
    const { terms, ...fields } = turn;
    const record: TurnRecord = { sessionId, conversationId, ...fields, turnNumber: first + i, storedAt: now };
    insertTurnRow(database, record);
    insertTurnTerms(database, {
      sessionKey,
      conversationOrdinal: conversation.ordinal,
      turnNumber: first + i,
      timestamp: turn.timestamp,
      speaker: turn.speaker ?? turn.agent,
      terms,
    });
    return record;
  });
}

/** Writes one numbered turn. Counters are the caller's. */
function insertTurnRow(database: Database, turn: TurnRecord): void {
  prepared(
    database,
    `INSERT INTO turns (session_id, conversation_id, turn_number, turn_id, agent, kind, speaker, timestamp,
       stored_at, cycle_id, metadata, content)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  ).run(
    turn.sessionId,
    turn.conversationId,
    turn.turnNumber,
    turn.turnId,
    turn.agent,
    turn.kind,
    turn.speaker,
    turn.timestamp,
    turn.storedAt,
    turn.cycleId,
    toJson(turn.metadata),
    turn.content,
  );
}
