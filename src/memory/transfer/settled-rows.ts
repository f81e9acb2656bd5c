import type { ExportRow } from '../../store/memory-dal.ts';
import type { Json } from '../../store/records.ts';

/** What the rows of a table refer to: a column, and the table and the column it names a row of. */
const REFERENCES: Record<string, { column: string; table: string }[]> = {
  turns: [{ column: 'conversation_id', table: 'conversations' }],
  context_summaries: [{ column: 'conversation_id', table: 'conversations' }],
  cycles: [{ column: 'conversation_id', table: 'conversations' }],
  cycle_steps: [{ column: 'cycle_id', table: 'cycles' }],
  cycle_requests: [{ column: 'cycle_id', table: 'cycles' }],
  cycle_events: [{ column: 'cycle_id', table: 'cycles' }],
  lesson_versions: [{ column: 'lesson_no', table: 'lessons' }],
  lesson_cycles: [{ column: 'cycle_id', table: 'cycles' }],
  fact_versions: [{ column: 'fact_no', table: 'facts' }],
  fact_progress: [{ column: 'conversation_id', table: 'conversations' }],
  causal_links: [
    { column: 'cause_no', table: 'causal_events' },
    { column: 'effect_no', table: 'causal_events' },
  ],
  causal_progress: [{ column: 'conversation_id', table: 'conversations' }],
};
const KEYS: Record<string, string> = {
  conversations: 'conversation_id',
  cycles: 'cycle_id',
  facts: 'fact_no',
  lessons: 'lesson_no',
  causal_events: 'event_no',
};

/**
 * Tells which rows of an export belong to it. The session may go on while it is exported, table after table: a row
 * that refers to something that came after its table was read is left for the next export.
 */
export class SettledRows {
  readonly #seen: Record<string, Set<Json>> = {};

  takes({ table, row }: ExportRow): boolean {
    const known = (REFERENCES[table] ?? []).every(({ column, table: target }) => {
      const value = row[column] ?? null;
      return value === null || this.#seen[target]?.has(value) === true;
    });
    const key = KEYS[table];
    if (known && key !== undefined) (this.#seen[table] ??= new Set()).add(row[key] ?? null);
    return known;
  }
}
