import type { MaintenanceStore } from '../memory-dal.ts';
import { addToCounter, readCounters } from './counters.ts';
import { exportPage } from './export-rows.ts';
import { importAbort, importBatch, importCommit } from './import-rows.ts';
import type { PostgresModule } from './postgres-module.ts';
import type { Queries } from './queries.ts';

export const maintenanceModule: PostgresModule<MaintenanceStore> = {
  writes: ['ping', 'importBatch', 'importCommit', 'importAbort'],
  snapshots: ['check', 'exportPage'],
  create: (db) => ({
    async counts() {
      const { sessions, conversations, turns } = await readCounters(db);
      return { sessions, conversations, turns };
    },
    check: () => check(db),
    async ping(write) {
      await readCounters(db);
      if (write) await addToCounter(db, 'pings', 1);
    },
    exportPage: (sessionId, cursor, limit) => exportPage(db, sessionId, cursor, limit),
    importBatch: (sessionId, rows) => importBatch(db, sessionId, rows),
    importCommit: (input) => importCommit(db, input),
    importAbort: (sessionId) => importAbort(db, sessionId),
  }),
};

/** The record's own checks: what counters say must be what is there. Keys and references the engine keeps itself. */
async function check(db: Queries): Promise<string[]> {
  const problems: string[] = [];
  const broken = await db.all<{ id: string; counted: number; stored: number; newest: number }>(
    `SELECT * FROM (
       SELECT c.conversation_id AS id, c.turn_count AS counted, c.removed_turns AS removed,
              count(t.turn_number) + coalesce(c.removed_turns, 0) AS stored, coalesce(max(t.turn_number), 0) AS newest
         FROM conversations c
         LEFT JOIN turns t ON t.session_id = c.session_id AND t.conversation_id = c.conversation_id
        GROUP BY c.session_id, c.conversation_id) AS of
      WHERE counted <> stored OR counted < newest OR (removed IS NULL AND counted <> newest)`,
  );
  for (const { id, counted, stored, newest } of broken) {
    problems.push(
      `${id} counts ${String(counted)} turns, has ${String(stored)}, and its newest is number ${String(newest)}`,
    );
  }
  const sums = await db.get<Record<'sessions' | 'conversations' | 'turns', number>>(
    `SELECT count(*) AS sessions,
            coalesce(sum(conversation_count - coalesce(removed_conversations, 0)), 0)::bigint AS conversations,
            coalesce(sum(total_turns), 0)::bigint AS turns FROM sessions WHERE status <> 'importing'`,
  );
  const counters = await readCounters(db);
  for (const name of ['sessions', 'conversations', 'turns'] as const) {
    const there = sums?.[name] ?? 0;
    if (there !== counters[name])
      problems.push(`${name}: ${String(counters[name])} counted, ${String(there)} there`);
  }
  return problems;
}
