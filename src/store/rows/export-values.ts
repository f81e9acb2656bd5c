import { CccError } from '../../base/ccc-error.ts';
import { isoTime } from '../../base/clock.ts';
import type { ExportRow, ImportRow } from '../memory-dal.ts';
import type { Json } from '../records.ts';
import type { ColumnKind, ExportTable } from './export-tables.ts';

/** What a column holds, in either engine. */
export type SqlValue = string | number | null;

/** A row as it stands in an export. */
export function exportRow(table: ExportTable, row: Record<string, SqlValue>): ExportRow['row'] {
  return Object.fromEntries(
    Object.entries(table.columns).map(([column, kind]) => [column, exportValue(kind, row[column] ?? null)]),
  );
}

function exportValue(kind: ColumnKind, value: SqlValue): Json {
  if (value === null) return null;
  if (kind === 'time') return isoTime(Number(value));
  if (kind === 'json') return JSON.parse(String(value)) as Json;
  return value;
}

/** The values of an export's row, by column. @throws invalid_request that names the column */
export function importValues(table: ExportTable, row: ImportRow['row']): Record<string, SqlValue> {
  for (const name of Object.keys(row)) {
    if (!Object.hasOwn(table.columns, name))
      throw invalid('There is no such column.', `${table.table}.${name}`);
  }
  return Object.fromEntries(
    Object.entries(table.columns).map(([name, kind]) => [
      name,
      importValue(kind, row[name] ?? null, `${table.table}.${name}`),
    ]),
  );
}

function importValue(kind: ColumnKind, value: Json, param: string): SqlValue {
  if (value === null) return null;
  switch (kind) {
    case 'json':
      return JSON.stringify(value);
    case 'time': {
      const time = typeof value === 'string' ? Date.parse(value) : NaN;
      if (Number.isNaN(time)) throw invalid('A time in ISO-8601 was expected.', param);
      return time;
    }
    case 'integer':
      if (!Number.isSafeInteger(value)) throw invalid('A whole number was expected.', param);
      return value as number;
    case 'real':
      if (typeof value !== 'number') throw invalid('A number was expected.', param);
      return value;
    case 'text':
      if (typeof value !== 'string') throw invalid('A text was expected.', param);
      return value;
  }
}

export function invalid(message: string, param: string): CccError {
  return new CccError('invalid_request', message, { param });
}

/** The status that an imported session will have. @throws invalid_request when its row is of another one, or says none */
export function importStatus(sessionId: string, row: ImportRow['row']): 'active' | 'archived' {
  if (row['session_id'] !== sessionId) throw invalid('The row names another session.', 'sessions.session_id');
  const { status } = row;
  if (status !== 'active' && status !== 'archived') {
    throw invalid('A session is active or archived.', 'sessions.status');
  }
  return status;
}

/** Most turns, and conversations, that an import may name as removed: each takes room in the index's answers. */
const MOST_REMOVED = 1_000_000;

/** The conversations that an import has brought, and what it says was removed of them. */
export interface ImportedConversations {
  count: number;
  newest: number;
  removedTurns: number;
  removed: number;
}

/**
 * Refuses numbers with holes in them that nobody accounts for.
 * @param gaps conversations with fewer turns than their numbers say
 * @throws invalid_request
 */
export function checkNumbering(
  { count, newest, removed, removedTurns }: ImportedConversations,
  gaps: number,
): void {
  if (removed > MOST_REMOVED || newest > count + removed || (removed === 0 && newest !== count)) {
    throw invalid('The conversations are not numbered 1, 2, 3 … without a gap.', 'conversations.ordinal');
  }
  if (gaps > 0 || removedTurns > MOST_REMOVED) {
    throw invalid('The turns are not numbered 1, 2, 3 … without a gap.', 'turns.turn_number');
  }
}
