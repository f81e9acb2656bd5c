import { CccError } from '../../base/ccc-error.ts';
import type { Idempotency, TurnStore } from '../memory-dal.ts';
import type { TurnRecord } from '../records.ts';
import { turnFromRow, type TurnRow } from '../rows/turn-rows.ts';
import { insertJobs } from './job-rows.ts';
import type { PostgresModule } from './postgres-module.ts';
import type { Queries } from './queries.ts';
import { lockSession } from './session-lock.ts';
import { insertTurns } from './turn-rows.ts';

/** Nothing of a session that is still being imported is shown. */
const SHOWN = `EXISTS (SELECT 1 FROM sessions WHERE session_id = $1 AND status <> 'importing')`;

export const turnsModule: PostgresModule<TurnStore> = {
  writes: ['append'],
  create: (db) => ({
    async append({ sessionId, conversationId, turns, jobs, idempotency, maxTurns, now }) {
      // Before the key is looked for: another server may be storing it.
      await lockSession(db, sessionId);
      const before = idempotency && (await replay(db, sessionId, conversationId, idempotency));
      if (before) return { turns: before, replayed: true };
      const stored = await insertTurns(db, { sessionId, conversationId, turns, maxTurns, now });
      await insertJobs(db, sessionId, jobs, now);
      if (idempotency) {
        await db.run(
          `INSERT INTO idempotency_keys
             (session_id, key, request_hash, conversation_id, first_turn_number, turn_count, created_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7)`,
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
    async get(sessionId, turnId) {
      const row = await db.get<TurnRow>(
        `SELECT * FROM turns WHERE session_id = $1 AND turn_id = $2 AND ${SHOWN}`,
        sessionId,
        turnId,
      );
      return row ? turnFromRow(row) : null;
    },
    list: (input) => readRange(db, input),
    async recent({ sessionId, conversationId, limit }) {
      const rows = await db.all<TurnRow>(
        `SELECT * FROM turns WHERE session_id = $1 AND conversation_id = $2 AND ${SHOWN}
          ORDER BY turn_number DESC LIMIT $3`,
        sessionId,
        conversationId,
        limit,
      );
      return rows.map(turnFromRow).reverse();
    },
    async byPosition(sessionId, positions) {
      const rows = await db.all<TurnRow & { at: number }>(
        `SELECT t.*, asked.at FROM unnest($2::bigint[], $3::bigint[]) WITH ORDINALITY AS asked (ordinal, turn_number, at)
           JOIN conversations c ON c.session_id = $1 AND c.ordinal = asked.ordinal
           JOIN turns t ON t.session_id = $1 AND t.conversation_id = c.conversation_id AND t.turn_number = asked.turn_number
          WHERE ${SHOWN}`,
        sessionId,
        positions.map(({ conversationOrdinal }) => conversationOrdinal),
        positions.map(({ turnNumber }) => turnNumber),
      );
      const found = new Map(rows.map((row) => [row.at, turnFromRow(row)]));
      return positions.map((_, i) => found.get(i + 1) ?? null);
    },
    async byThreadKey(sessionId, threadKey, limit) {
      const rows = await db.all<TurnRow>(
        `SELECT * FROM turns WHERE session_id = $1 AND thread_key = $2 AND ${SHOWN}
          ORDER BY stored_at DESC, turn_number DESC LIMIT $3`,
        sessionId,
        threadKey,
        limit,
      );
      return rows.map(turnFromRow);
    },
  }),
};

async function readRange(
  db: Queries,
  { sessionId, conversationId, fromNumber, limit }: Parameters<TurnStore['list']>[0],
): Promise<TurnRecord[]> {
  const rows = await db.all<TurnRow>(
    `SELECT * FROM turns WHERE session_id = $1 AND conversation_id = $2 AND turn_number >= $3 AND ${SHOWN}
      ORDER BY turn_number LIMIT $4`,
    sessionId,
    conversationId,
    fromNumber,
    limit,
  );
  return rows.map(turnFromRow);
}

/** The turns that a request with this key has stored, or null when the key is new. @throws idempotency_conflict */
async function replay(
  db: Queries,
  sessionId: string,
  conversationId: string,
  { key, requestHash }: Idempotency,
): Promise<TurnRecord[] | null> {
  const row = await db.get<{
    request_hash: string;
    conversation_id: string;
    first_turn_number: number;
    turn_count: number;
  }>(
    `SELECT request_hash, conversation_id, first_turn_number, turn_count FROM idempotency_keys
      WHERE session_id = $1 AND key = $2`,
    sessionId,
    key,
  );
  if (!row) return null;
  if (row.request_hash !== requestHash || row.conversation_id !== conversationId) {
    throw new CccError('idempotency_conflict');
  }
  return readRange(db, {
    sessionId,
    conversationId,
    fromNumber: row.first_turn_number,
    limit: row.turn_count,
  });
}
