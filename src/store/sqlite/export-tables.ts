import type { Database } from 'better-sqlite3';
import { prepared } from './connection.ts';

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
      removed_conversations: 'integer',
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
      removed_turns: 'integer',
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
    table: 'facts',
    columns: {
      fact_no: 'integer',
      fact_id: 'text',
      subject: 'text',
      attribute: 'text',
      value: 'text',
      text: 'text',
      subject_key: 'text',
      attribute_key: 'text',
      value_key: 'text',
      exclusive: 'integer',
      valid_from: 'time',
      ended_at: 'time',
      valid_until: 'time',
      superseded_by: 'text',
      conversation_id: 'text',
      source_turn_id: 'text',
      author: 'text',
      pinned: 'integer',
      version: 'integer',
      created_at: 'time',
      updated_at: 'time',
    },
    key: ['fact_no'],
  },
  {
    table: 'fact_versions',
    columns: {
      fact_no: 'integer',
      version: 'integer',
      subject: 'text',
      attribute: 'text',
      value: 'text',
      text: 'text',
      valid_from: 'time',
      ended_at: 'time',
      author: 'text',
      until: 'time',
    },
    key: ['fact_no', 'version'],
  },
  {
    table: 'fact_progress',
    columns: { conversation_id: 'text', through_turn: 'integer' },
    key: ['conversation_id'],
  },
  {
    table: 'cycles',
    columns: {
      cycle_id: 'text',
      conversation_id: 'text',
      status: 'text',
      outcome: 'text',
      machine: 'json',
      version: 'integer',
      event_count: 'integer',
      created_at: 'time',
      updated_at: 'time',
    },
    key: ['cycle_id'],
  },
  {
    table: 'cycle_requests',
    columns: { cycle_id: 'text', request: 'json' },
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
  {
    table: 'session_spending',
    columns: { day: 'integer', tokens: 'integer', ms: 'integer', rounds: 'integer' },
    key: ['day'],
  },
  {
    table: 'lessons',
    columns: {
      lesson_no: 'integer',
      lesson_id: 'text',
      agent: 'text',
      trigger_text: 'text',
      text: 'text',
      status: 'text',
      pinned: 'integer',
      author: 'text',
      evidence: 'json',
      hash: 'text',
      with_trials: 'integer',
      with_approved: 'integer',
      without_trials: 'integer',
      without_approved: 'integer',
      version: 'integer',
      created_at: 'time',
      updated_at: 'time',
    },
    key: ['lesson_no'],
  },
  {
    table: 'lesson_versions',
    columns: {
      lesson_no: 'integer',
      version: 'integer',
      trigger_text: 'text',
      text: 'text',
      status: 'text',
      pinned: 'integer',
      author: 'text',
      until: 'time',
    },
    key: ['lesson_no', 'version'],
  },
  {
    table: 'lesson_cycles',
    columns: { cycle_id: 'text', learned_at: 'time' },
    key: ['cycle_id'],
  },
  {
    table: 'causal_events',
    columns: {
      event_no: 'integer',
      event_id: 'text',
      conversation_id: 'text',
      source_turn_id: 'text',
      text: 'text',
      actor: 'text',
      happened_at: 'time',
      stored_at: 'time',
      recorded_by: 'text',
      judged: 'integer',
      last_used: 'time',
      change_seq: 'integer',
    },
    key: ['event_no'],
  },
  {
    table: 'causal_links',
    columns: {
      link_id: 'text',
      cause_no: 'integer',
      effect_no: 'integer',
      relation: 'text',
      confidence: 'real',
      explanation: 'text',
      judged_by: 'text',
      stored_at: 'time',
      change_seq: 'integer',
    },
    key: ['link_id'],
  },
  {
    table: 'causal_removals',
    columns: {
      change_seq: 'integer',
      kind: 'text',
      id: 'text',
      cause_no: 'integer',
      effect_no: 'integer',
      removed_by: 'text',
      removed_at: 'time',
    },
    key: ['change_seq'],
    afterImport: restoreCausalHead,
  },
  {
    table: 'causal_progress',
    columns: { conversation_id: 'text', through_turn: 'integer' },
    key: ['conversation_id'],
  },
];

/** Tables that hold rows of a session and are left out of an export, on purpose. */
export const NOT_EXPORTED: readonly string[] = [
  'jobs',
  'idempotency_keys',
  'pending_imports',
  'budget_reservations',
  'turn_terms',
  'turn_index_blocks',
  'turn_index_speakers',
  'activity_heads',
  'activity_changes',
  'causal_heads',
  'causal_terms',
  'causal_vectors',
  'causal_vector_progress',
  'fact_terms',
  'reindex_progress',
  'turn_vectors',
  'vector_progress',
];

/** The head of a session's causal memory, from its rows: the next change and the next event go on from there. */
function restoreCausalHead(database: Database, sessionId: string): void {
  prepared(
    database,
    `INSERT INTO causal_heads (session_id, change_seq, last_event_no)
     SELECT @sessionId, max(changes), max(numbers) FROM (
       SELECT max(change_seq) AS changes, max(event_no) AS numbers FROM causal_events WHERE session_id = @sessionId
       UNION ALL SELECT max(change_seq), 0 FROM causal_links WHERE session_id = @sessionId
       UNION ALL SELECT max(change_seq), max(cause_no) FROM causal_removals WHERE session_id = @sessionId)
     WHERE changes IS NOT NULL HAVING max(changes) > 0`,
  ).run({ sessionId });
}
