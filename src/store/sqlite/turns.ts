import type { Database } from 'better-sqlite3';
import { CccError } from '../../base/ccc-error.ts';
import type { Idempotency, TurnStore } from '../memory-dal.ts';
import type { Agent, TurnKind, TurnRecord } from '../records.ts';
import { fromJson } from '../json-column.ts';
import { prepared } from './connection.ts';
import { insertJobs } from './job-rows.ts';
import type { StoreModule } from './store-module.ts';
import { turnFromRow, type TurnRow } from '../rows/turn-rows.ts';
import { insertTurns } from './turn-rows.ts';

/** Nothing of a session that is still being imported is shown. */
const SHOWN = `EXISTS (SELECT 1 FROM sessions WHERE session_id = @sessionId AND status <> 'importing')`;

export const turnsModule: StoreModule<TurnStore> = {
  writes: ['append'],
  create: (database) => ({
    append: ({ sessionId, conversationId, turns, jobs, idempotency, maxTurns, now }) => {
      const before = idempotency && replay(database, sessionId, conversationId, idempotency);
      if (before) return { turns: before, replayed: true };
      const stored = insertTurns(database, { sessionId, conversationId, turns, maxTurns, now });
      insertJobs(database, sessionId, jobs, now);
      if (idempotency) {
        prepared(
          database,
          `INSERT INTO idempotency_keys
             (session_id, key, request_hash, conversation_id, first_turn_number, turn_count, created_at)
           VALUES (?, ?, ?, ?, ?, ?, ?)`,
        ).run(
          sessionId,
          idempotency.key,
          idempotency.requestHash,
          conversationId,
          stored[0]?.turnNumber ?? 1,
          stored.length,
          now,
        );
      }
      return { turns: stored, replayed: false };
    },
    get: (sessionId, turnId) => {
      const row = prepared(
        database,
        `SELECT * FROM turns WHERE session_id = @sessionId AND turn_id = @turnId AND ${SHOWN}`,
      ).get({ sessionId, turnId }) as TurnRow | undefined;
      return row ? turnFromRow(row) : null;
    },
    list: (input) => readRange(database, input),
    recent: ({ sessionId, conversationId, limit }) =>
      (
        prepared(
          database,
          `SELECT * FROM turns WHERE session_id = @sessionId AND conversation_id = @conversationId AND ${SHOWN}
            ORDER BY turn_number DESC LIMIT +@limit`,
        ).all({ sessionId, conversationId, limit }) as TurnRow[]
      )
        .map(turnFromRow)
        .reverse(),
    byPosition: (sessionId, positions) => readPositions(database, sessionId, positions),
    byThreadKey: (sessionId, threadKey, limit) =>
      (
        prepared(
          database,
          `SELECT * FROM turns
            WHERE session_id = @sessionId AND json_extract(metadata, '$.thread_key') = @threadKey AND ${SHOWN}
            ORDER BY stored_at DESC, turn_number DESC LIMIT +@limit`,
        ).all({ sessionId, threadKey, limit }) as TurnRow[]
      ).map(turnFromRow),
  }),
};

/** Columns of a turn but for those of its place, in the order of `PlacedRow`. */
const PLACED = `t.conversation_id, t.turn_id, t.agent, t.kind, t.speaker, t.timestamp, t.stored_at, t.cycle_id, t.metadata, t.content`;
type PlacedRow = [
  at: number,
  conversationId: string,
  turnId: string,
  agent: Agent,
  kind: TurnKind,
  speaker: string | null,
  timestamp: number,
  storedAt: number,
  cycleId: string | null,
  metadata: string,
  content: string,
];

/** All in one statement, and as lists: one by one, and as objects, they took three times as long. */
function readPositions(
  database: Database,
  sessionId: string,
  positions: Parameters<TurnStore['byPosition']>[1],
): (TurnRecord | null)[] {
  const places = positions.map(({ conversationOrdinal, turnNumber }) => [conversationOrdinal, turnNumber]);
  const rows = prepared(
    database,
    `SELECT wanted.key, ${PLACED} FROM json_each(@places) wanted
       CROSS JOIN conversations c ON c.session_id = @sessionId AND c.ordinal = wanted.value ->> 0
       CROSS JOIN turns t ON t.session_id = @sessionId AND t.conversation_id = c.conversation_id
         AND t.turn_number = wanted.value ->> 1
      WHERE ${SHOWN}`,
  )
    .raw()
    .all({ sessionId, places: JSON.stringify(places) }) as PlacedRow[];
  const found: (TurnRecord | null)[] = positions.map(() => null);
  for (const [
    at,
    conversationId,
    turnId,
    agent,
    kind,
    speaker,
    timestamp,
    storedAt,
    cycleId,
    metadata,
    content,
  ] of rows) {
    found[at] = {
      sessionId,
      conversationId,
      turnId,
      turnNumber: positions[at]?.turnNumber ?? 0,
      agent,
      kind,
      content,
      speaker,
      timestamp,
      storedAt,
      cycleId,
      metadata: fromJson(metadata),
    };
  }
  return found;
}

function readRange(
  database: Database,
  input: { sessionId: string; conversationId: string; fromNumber: number; limit: number },
): TurnRecord[] {
  const rows = prepared(
    database,
    `SELECT * FROM turns WHERE session_id = @sessionId AND conversation_id = @conversationId
        AND turn_number >= @fromNumber AND ${SHOWN}
      ORDER BY turn_number LIMIT +@limit`,
  ).all(input) as TurnRow[];
  return rows.map(turnFromRow);
}

/** The turns that a request with this key has stored, or null when the key is new. @throws idempotency_conflict */
function replay(
  database: Database,
  sessionId: string,
  conversationId: string,
  { key, requestHash }: Idempotency,
): TurnRecord[] | null {
  const row = prepared(
    database,
    `SELECT request_hash, conversation_id, first_turn_number, turn_count FROM idempotency_keys
      WHERE session_id = ? AND key = ?`,
  ).get(sessionId, key) as
    | { request_hash: string; conversation_id: string; first_turn_number: number; turn_count: number }
    | undefined;
  if (!row) return null;
  if (row.request_hash !== requestHash || row.conversation_id !== conversationId) {
    throw new CccError('idempotency_conflict');
  }
  return readRange(database, {
    sessionId,
    conversationId,
    fromNumber: row.first_turn_number,
    limit: row.turn_count,
  });
}
