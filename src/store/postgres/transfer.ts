import type { JobRow } from '../rows/job-rows.ts';
import {
  belongingsFromRows,
  JOB_COLUMNS,
  jobValues,
  KEY_COLUMNS,
  keyValues,
  type IdempotencyRow,
} from '../rows/transfer-rows.ts';
import { vectorOf } from '../rows/vector-bytes.ts';
import type { ConversationVectors, EventVectors, Spending, TransferStore } from '../transfer-store.ts';
import type { PostgresModule } from './postgres-module.ts';
import type { Queries } from './queries.ts';
import { lockSession } from './session-lock.ts';

export const transferModule: PostgresModule<TransferStore> = {
  writes: ['takeBelongings', 'takeSpending'],
  snapshots: ['belongings', 'conversationVectors', 'eventVectors'],
  create: (db) => ({
    async belongings(sessionId) {
      const tokenHash = await db.value<string>(
        `SELECT token_hash FROM sessions WHERE session_id = $1 AND status <> 'importing'`,
        sessionId,
      );
      if (tokenHash === undefined) return null;
      return belongingsFromRows(
        tokenHash,
        await db.all<JobRow>('SELECT * FROM jobs WHERE session_id = $1', sessionId),
        await db.all<IdempotencyRow>('SELECT * FROM idempotency_keys WHERE session_id = $1', sessionId),
      );
    },
    async takeBelongings(sessionId, { jobs, idempotencyKeys }) {
      await lockSession(db, sessionId);
      const put = (table: string, columns: string, values: (string | number | null)[]) => {
        const places = values.map((_, at) => `$${String(at + 2)}`).join(', ');
        return db.run(
          `INSERT INTO ${table} (session_id, ${columns}) VALUES ($1, ${places}) ON CONFLICT DO NOTHING`,
          sessionId,
          ...values,
        );
      };
      for (const job of jobs) await put('jobs', JOB_COLUMNS, jobValues(job));
      for (const key of idempotencyKeys) await put('idempotency_keys', KEY_COLUMNS, keyValues(key));
    },
    conversationVectors: (sessionId, after) => conversationVectors(db, sessionId, after),
    eventVectors: (sessionId, after, limit) => eventVectors(db, sessionId, after, limit),
    spending: async () => ({
      days: await db.all<Spending['days'][number]>(
        'SELECT day, sum(tokens)::bigint AS tokens, sum(ms)::bigint AS ms, sum(rounds)::bigint AS rounds FROM day_spending GROUP BY day ORDER BY day',
      ),
      callers: await db.all<Spending['callers'][number]>(
        'SELECT * FROM caller_spending ORDER BY caller, day',
      ),
    }),
    async takeSpending({ days, callers }) {
      for (const { day, tokens, ms, rounds } of days) {
        await db.run(
          `INSERT INTO day_spending AS d (day, slot, tokens, ms, rounds) VALUES ($1, 0, $2, $3, $4)
           ON CONFLICT (day, slot) DO UPDATE SET tokens = greatest(d.tokens, excluded.tokens),
             ms = greatest(d.ms, excluded.ms), rounds = greatest(d.rounds, excluded.rounds)`,
          day,
          tokens,
          ms,
          rounds,
        );
      }
      for (const { caller, day, tokens } of callers) {
        await db.run(
          `INSERT INTO caller_spending AS c (caller, day, tokens) VALUES ($1, $2, $3)
           ON CONFLICT (caller, day) DO UPDATE SET tokens = greatest(c.tokens, excluded.tokens)`,
          caller,
          day,
          tokens,
        );
      }
    },
  }),
};

async function conversationVectors(
  db: Queries,
  sessionId: string,
  after: string,
): Promise<ConversationVectors | null> {
  const found = await db.get<Omit<ConversationVectors, 'vectors'>>(
    `SELECT conversation_id AS "conversationId", model, through_turn AS "throughTurn" FROM vector_progress
      WHERE session_id = $1 AND conversation_id > $2 ORDER BY conversation_id LIMIT 1`,
    sessionId,
    after,
  );
  if (!found) return null;
  const rows = await db.all<{ turnNumber: number; vector: Buffer }>(
    `SELECT v.turn_number AS "turnNumber", v.vector FROM conversations c
       JOIN turn_vectors v ON v.session_id = c.session_id AND v.conversation_ordinal = c.ordinal
      WHERE c.session_id = $1 AND c.conversation_id = $2 AND v.model = $3 ORDER BY v.turn_number`,
    sessionId,
    found.conversationId,
    found.model,
  );
  return {
    ...found,
    vectors: rows.map(({ turnNumber, vector }) => ({ turnNumber, vector: vectorOf(vector) })),
  };
}

async function eventVectors(
  db: Queries,
  sessionId: string,
  after: number,
  limit: number,
): Promise<EventVectors | null> {
  const progress = await db.get<Omit<EventVectors, 'vectors'>>(
    `SELECT model, through_seq AS "throughSeq" FROM causal_vector_progress WHERE session_id = $1`,
    sessionId,
  );
  if (!progress) return null;
  const rows = await db.all<{ eventNo: number; changeSeq: number; vector: Buffer }>(
    `SELECT v.event_no AS "eventNo", e.change_seq AS "changeSeq", v.vector FROM causal_vectors v
       JOIN causal_events e ON e.session_id = v.session_id AND e.event_no = v.event_no
      WHERE v.session_id = $1 AND v.event_no > $2 AND v.model = $3 ORDER BY v.event_no LIMIT $4`,
    sessionId,
    after,
    progress.model,
    limit,
  );
  return { ...progress, vectors: rows.map((row) => ({ ...row, vector: vectorOf(row.vector) })) };
}
