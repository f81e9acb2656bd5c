import type { Database } from 'better-sqlite3';

/** How a column's value is written in an export. `time` is ISO-8601 in UTC, `json` is the value itself. */
export type ColumnKind = 'text' | 'integer' | 'real' | 'time' | 'json';

/** One table of a session's export. Only the `sessions` row names the session: the others are all of the same one. */
export interface ExportTable {
  table: string;
  /** All columns but session_id and those that only this server needs (keys, hashes, counters). */
  columns: Record<string, ColumnKind>;
  /** A unique key of the table inside its session; rows are exported in its order. */
  key: readonly string[];
  /** Restores what is derived from the imported rows (counters, indexes), inside the importing transaction. */
  afterImport?: (database: Database, sessionId: string) => void;
}

/**
 * What an export holds, in the order of its rows: a table stands after those that it refers to. Everything else of
 * a session is either made again from these (index rows) or belongs to this server (jobs, idempotency keys).
 * A new table of facts is an entry here; a test finds the forgotten ones.
 */
export const EXPORT_TABLES: readonly ExportTable[] = [
  {
    table: 'sessions',
    columns: {
      session_id: 'text',
      status: 'text',
      created_at: 'time',
      last_active: 'time',
      user_preferences: 'json',
      initial_context: 'json',
    },
    key: ['session_id'],
  },
  {
    table: 'conversations',
    columns: {
      conversation_id: 'text',
      ordinal: 'integer',
      directive: 'text',
      created_at: 'time',
      last_active: 'time',
    },
    key: ['ordinal'],
  },
  {
    table: 'turns',
    columns: {
      conversation_id: 'text',
      turn_number: 'integer',
      turn_id: 'text',
      agent: 'text',
      kind: 'text',
      speaker: 'text',
      timestamp: 'time',
      stored_at: 'time',
      cycle_id: 'text',
      metadata: 'json',
      content: 'text',
    },
    key: ['conversation_id', 'turn_number'],
  },
  {
    table: 'agent_states',
    columns: { agent: 'text', version: 'integer', state: 'json', updated_at: 'time' },
    key: ['agent'],
  },
  {
    table: 'context_summaries',
    columns: {
      scope: 'text',
      version: 'integer',
      conversation_id: 'text',
      text: 'text',
      covers_through: 'integer',
      first_turn_id: 'text',
      last_turn_id: 'text',
      author: 'text',
      created_at: 'time',
    },
    key: ['scope', 'version'],
  },
  {
    table: 'cycles',
    columns: {
      cycle_id: 'text',
      conversation_id: 'text',
      status: 'text',
      outcome: 'text',
      request: 'json',
      machine: 'json',
      version: 'integer',
      event_count: 'integer',
      created_at: 'time',
      updated_at: 'time',
    },
    key: ['cycle_id'],
  },
  {
    table: 'cycle_steps',
    columns: {
      cycle_id: 'text',
      step_number: 'integer',
      step_id: 'text',
      kind: 'text',
      agent: 'text',
      round: 'integer',
      attempt: 'integer',
      status: 'text',
      input: 'json',
      output: 'json',
      started_at: 'time',
      ended_at: 'time',
    },
    key: ['cycle_id', 'step_number'],
  },
  {
    table: 'cycle_events',
    columns: { cycle_id: 'text', seq: 'integer', type: 'text', data: 'json', created_at: 'time' },
    key: ['cycle_id', 'seq'],
  },
];

/** Tables that hold rows of a session and are left out of an export, on purpose. */
export const NOT_EXPORTED: readonly string[] = [
  'jobs',
  'idempotency_keys',
  'pending_imports',
  'turn_terms',
  'turn_index_blocks',
  'turn_index_speakers',
];
