import type { Database } from 'better-sqlite3';
import type { ExportRow } from '../memory-dal.ts';
import type { Page } from '../records.ts';
import { EXPORT_TABLES, type ExportTable } from '../rows/export-tables.ts';
import { exportRow, type SqlValue } from '../rows/export-values.ts';
import { prepared } from './connection.ts';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import { getSession } from './sessions.ts';

/** The next rows of a session's export. Pages follow the tables' keys, so a row stored meanwhile disturbs nothing. */
export function exportPage(
  database: Database,
  sessionId: string,
  cursor: string | null,
  limit: number,
): Page<ExportRow> {
  if (!getSession(database, sessionId)) return { items: [], nextCursor: null };
  const [startTable, startAfter] = cursor === null ? [0, '[]'] : decodeCursor(cursor, ['number', 'string']);
  let after = JSON.parse(startAfter) as SqlValue[];
  const items: ExportRow[] = [];
  for (let i = startTable; i < EXPORT_TABLES.length; i++) {
    const table = EXPORT_TABLES[i] as ExportTable;
    const rows = readAfter(database, table, sessionId, after, limit - items.length);
    for (const row of rows) items.push({ table: table.table, row: exportRow(table, row) });
    if (items.length >= limit) {
      const last = rows.at(-1) ?? {};
      const place = table.key.map((column) => last[column] as SqlValue);
      return { items, nextCursor: encodeCursor([i, JSON.stringify(place)]) };
    }
    after = [];
  }
  return { items, nextCursor: null };
}

function readAfter(
  database: Database,
  { table, columns, key }: ExportTable,
  sessionId: string,
  after: SqlValue[],
  limit: number,
): Record<string, SqlValue>[] {
  const keyList = key.join(', ');
  const beyond = after.length > 0 ? `AND (${keyList}) > (${key.map(() => '?').join(', ')})` : '';
  const names = [...new Set([...Object.keys(columns), ...key])].join(', ');
  return prepared(
    database,
    `SELECT ${names} FROM ${table} WHERE session_id = ? ${beyond} ORDER BY ${keyList} LIMIT +?`,
  ).all(sessionId, ...after, limit) as Record<string, SqlValue>[];
}
