import { CccError } from '../../base/ccc-error.ts';
import type { ImportRow } from '../../store/memory-dal.ts';
import type { Json, JsonObject } from '../../store/records.ts';
import { isIndexed, termsOfRow } from '../reindex/terms-of-row.ts';
import { checkHeader } from './header.ts';

/** Rows in one write, and characters: other writers wait, and other requests, while they are indexed and stored. */
const BATCH_ROWS = 100;
const BATCH_CHARACTERS = 1_000_000;

/** The rows of an export's lines, in batches. @throws invalid_json, invalid_request */
export async function* readLines(
  lines: AsyncIterable<string>,
): AsyncGenerator<{ sessionId: string; rows: ImportRow[] }> {
  let sessionId: string | null = null;
  let headed = false;
  let rows: ImportRow[] = [];
  let characters = 0;
  let number = 0;
  for await (const line of lines) {
    number += 1;
    if (line.trim() === '') continue;
    const value = parse(line, number);
    if (!headed) {
      checkHeader(value);
      headed = true;
      continue;
    }
    const row = await rowOf(value, number);
    sessionId ??= sessionIdOf(row);
    rows.push(row);
    characters += line.length;
    if (rows.length < BATCH_ROWS && characters < BATCH_CHARACTERS) continue;
    yield { sessionId, rows };
    rows = [];
    characters = 0;
  }
  if (sessionId !== null && rows.length > 0) yield { sessionId, rows };
}

function parse(line: string, number: number): Json {
  try {
    return JSON.parse(line) as Json;
  } catch (error) {
    throw new CccError('invalid_json', `Line ${String(number)} is not JSON.`, { cause: error });
  }
}

async function rowOf(value: Json, number: number): Promise<ImportRow> {
  const { table, row } = (value ?? {}) as { table?: Json; row?: Json };
  if (typeof table !== 'string' || typeof row !== 'object' || row === null || Array.isArray(row)) {
    throw new CccError('invalid_request', `Line ${String(number)} is not a row of an export.`);
  }
  if (!isIndexed(table)) return { table, row };
  return { table, row, terms: await termsOfRow({ table, row: textsOf(row) }) };
}

/** The columns that are text. What should be and is not is refused when it is stored. */
export function textsOf(row: JsonObject): Record<string, string> {
  return Object.fromEntries(
    Object.entries(row).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

function sessionIdOf({ table, row }: ImportRow): string {
  const id = row['session_id'];
  if (table !== 'sessions' || typeof id !== 'string') {
    throw new CccError('invalid_request', 'The first row of an export is that of its session.');
  }
  return id;
}
