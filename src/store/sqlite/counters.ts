import type { Database } from 'better-sqlite3';
import { prepared } from './connection.ts';

type Counter =
  | 'last_session_key'
  | 'sessions'
  | 'conversations'
  | 'turns'
  | 'pings'
  // Kept by triggers (0004-causal.sql), so that an erased session is counted out by its cascade.
  | 'causal_events'
  | 'causal_links'
  | 'causal_changes';

/** Adds to one of the counters of the whole record and returns its new value. */
export function addToCounter(database: Database, name: Counter, amount: number): number {
  return prepared(database, 'UPDATE record_counters SET value = value + ? WHERE name = ? RETURNING value')
    .pluck()
    .get(amount, name) as number;
}

export function readCounters(database: Database): Record<Counter, number> {
  const rows = prepared(database, 'SELECT name, value FROM record_counters').all() as {
    name: Counter;
    value: number;
  }[];
  return Object.fromEntries(rows.map((row) => [row.name, row.value])) as Record<Counter, number>;
}
