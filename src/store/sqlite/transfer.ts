import type { Database } from 'better-sqlite3';
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
import type {
  ConversationVectors,
  EventVectors,
  SessionBelongings,
  Spending,
  TransferStore,
} from '../transfer-store.ts';
import { prepared } from './connection.ts';
import type { StoreModule } from './store-module.ts';
import { requireSession } from './turn-rows.ts';

export const transferModule: StoreModule<TransferStore> = {
  writes: ['takeBelongings', 'takeSpending'],
  create: (database) => ({
    belongings: (sessionId) => {
      const tokenHash = prepared(
        database,
        `SELECT token_hash FROM sessions WHERE session_id = ? AND status <> 'importing'`,
      )
        .pluck()
        .get(sessionId) as string | undefined;
      if (tokenHash === undefined) return null;
      const all = (table: string) =>
        prepared(database, `SELECT * FROM ${table} WHERE session_id = ?`).all(sessionId);
      return belongingsFromRows(
        tokenHash,
        all('jobs') as JobRow[],
        all('idempotency_keys') as IdempotencyRow[],
      );
    },
    takeBelongings: (sessionId, belongings) => takeBelongings(database, sessionId, belongings),
    conversationVectors: (sessionId, after) => conversationVectors(database, sessionId, after),
    eventVectors: (sessionId, after, limit) => eventVectors(database, sessionId, after, limit),
    spending: () => ({
      days: prepared(database, 'SELECT * FROM day_spending ORDER BY day').all() as Spending['days'],
      callers: prepared(
        database,
        'SELECT * FROM caller_spending ORDER BY caller, day',
      ).all() as Spending['callers'],
    }),
    takeSpending: ({ days, callers }) => {
      const day = prepared(
        database,
        `INSERT INTO day_spending (day, tokens, ms, rounds) VALUES (@day, @tokens, @ms, @rounds)
         ON CONFLICT (day) DO UPDATE SET tokens = max(tokens, excluded.tokens), ms = max(ms, excluded.ms),
           rounds = max(rounds, excluded.rounds)`,
      );
      const caller = prepared(
        database,
        `INSERT INTO caller_spending (caller, day, tokens) VALUES (@caller, @day, @tokens)
         ON CONFLICT (caller, day) DO UPDATE SET tokens = max(tokens, excluded.tokens)`,
      );
      for (const row of days) day.run(row);
      for (const row of callers) caller.run(row);
    },
  }),
};

function takeBelongings(
  database: Database,
  sessionId: string,
  { jobs, idempotencyKeys }: SessionBelongings,
): void {
  requireSession(database, sessionId);
  const put = (table: string, columns: string, values: (string | number | null)[]) => {
    const places = values.map(() => '?').join(', ');
    prepared(
      database,
      `INSERT INTO ${table} (session_id, ${columns}) VALUES (?, ${places}) ON CONFLICT DO NOTHING`,
    ).run(sessionId, ...values);
  };
  for (const job of jobs) put('jobs', JOB_COLUMNS, jobValues(job));
  for (const key of idempotencyKeys) put('idempotency_keys', KEY_COLUMNS, keyValues(key));
}

function conversationVectors(
  database: Database,
  sessionId: string,
  after: string,
): ConversationVectors | null {
  const found = prepared(
    database,
    `SELECT conversation_id AS conversationId, model, through_turn AS throughTurn FROM vector_progress
      WHERE session_id = ? AND conversation_id > ? ORDER BY conversation_id LIMIT 1`,
  ).get(sessionId, after) as Omit<ConversationVectors, 'vectors'> | undefined;
  if (!found) return null;
  const rows = prepared(
    database,
    `SELECT v.turn_number AS turnNumber, v.vector FROM conversations c
       JOIN sessions s ON s.session_id = c.session_id
       JOIN turn_vectors v ON v.session_key = s.session_key AND v.conversation_ordinal = c.ordinal
      WHERE c.session_id = ? AND c.conversation_id = ? AND v.model = ? ORDER BY v.turn_number`,
  ).all(sessionId, found.conversationId, found.model) as { turnNumber: number; vector: Buffer }[];
  return {
    ...found,
    vectors: rows.map(({ turnNumber, vector }) => ({ turnNumber, vector: vectorOf(vector) })),
  };
}

function eventVectors(
  database: Database,
  sessionId: string,
  after: number,
  limit: number,
): EventVectors | null {
  const progress = prepared(
    database,
    `SELECT model, through_seq AS throughSeq FROM causal_vector_progress WHERE session_id = ?`,
  ).get(sessionId) as Omit<EventVectors, 'vectors'> | undefined;
  if (!progress) return null;
  const rows = prepared(
    database,
    `SELECT v.event_no AS eventNo, e.change_seq AS changeSeq, v.vector FROM causal_vectors v
       JOIN causal_events e ON e.session_id = v.session_id AND e.event_no = v.event_no
      WHERE v.session_id = ? AND v.event_no > ? AND v.model = ? ORDER BY v.event_no LIMIT +?`,
  ).all(sessionId, after, progress.model, limit) as {
    eventNo: number;
    changeSeq: number;
    vector: Buffer;
  }[];
  return { ...progress, vectors: rows.map((row) => ({ ...row, vector: vectorOf(row.vector) })) };
}
