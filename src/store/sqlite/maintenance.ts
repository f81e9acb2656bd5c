import type { Database } from 'better-sqlite3';
import type { MaintenanceStore } from '../memory-dal.ts';
import { addToCounter, readCounters } from './counters.ts';
import { exportPage } from './export-rows.ts';
import { importAbort, importBatch, importCommit } from './import-rows.ts';
import type { StoreModule } from './store-module.ts';

export const maintenanceModule: StoreModule<MaintenanceStore> = {
  writes: ['ping', 'importBatch', 'importCommit', 'importAbort'],
  erases: ['importAbort'],
  create: (database) => ({
    counts: () => {
      const { sessions, conversations, turns } = readCounters(database);
      return { sessions, conversations, turns };
    },
    check: () => check(database),
    ping: (write) => {
      readCounters(database);
      if (write) addToCounter(database, 'pings', 1);
    },
    exportPage: (sessionId, cursor, limit) => exportPage(database, sessionId, cursor, limit),
    importBatch: (sessionId, rows) => importBatch(database, sessionId, rows),
    importCommit: (input) => importCommit(database, input),
    importAbort: (sessionId) => importAbort(database, sessionId),
  }),
};

/** The engine's checks, and the record's own: what counters say must be what is there. Reads everything. */
function check(database: Database): string[] {
  const problems: string[] = [];
  for (const row of database.pragma('integrity_check') as { integrity_check: string }[]) {
    if (row.integrity_check !== 'ok') problems.push(row.integrity_check);
  }
  for (const row of database.pragma('foreign_key_check') as { table: string; parent: string }[]) {
    problems.push(`a row of ${row.table} refers to a missing row of ${row.parent}`);
  }
  const broken = database
    .prepare(
      `SELECT c.conversation_id AS id, c.turn_count AS counted, count(t.turn_number) + coalesce(c.removed_turns, 0) AS stored,
              coalesce(max(t.turn_number), 0) AS newest
         FROM conversations c
         LEFT JOIN turns t ON t.session_id = c.session_id AND t.conversation_id = c.conversation_id
        GROUP BY c.session_id, c.conversation_id
       HAVING counted <> stored OR counted < newest OR (c.removed_turns IS NULL AND counted <> newest)`,
    )
    .all() as { id: string; counted: number; stored: number; newest: number }[];
  for (const { id, counted, stored, newest } of broken) {
    problems.push(`${id} counts ${counted} turns, has ${stored}, and its newest is number ${newest}`);
  }
  const sums = database
    .prepare(
      `SELECT count(*) AS sessions, coalesce(sum(conversation_count - coalesce(removed_conversations, 0)), 0) AS conversations,
              coalesce(sum(total_turns), 0) AS turns FROM sessions WHERE status <> 'importing'`,
    )
    .get() as Record<'sessions' | 'conversations' | 'turns', number>;
  const counters = readCounters(database);
  for (const name of ['sessions', 'conversations', 'turns'] as const) {
    if (sums[name] !== counters[name])
      problems.push(`${name}: ${counters[name]} counted, ${sums[name]} there`);
  }
  return problems;
}
