import type { ClientBase, QueryConfig } from 'pg';

/** What a statement may be given. `undefined` is none of them: it would be stored as null without a word. */
export type Parameter =
  string | number | boolean | null | Uint8Array | readonly (string | number | boolean | null | Uint8Array)[];

/**
 * A connection inside its transaction, as the stores see it. Statements are prepared by their text, once on each
 * connection, so a text must be constant: values are parameters (`$1`), lists are arrays (`= ANY($1::text[])`,
 * `unnest($1::text[], $2::bigint[])`).
 */
export interface Queries {
  /** All rows. */
  all<R extends object>(sql: string, ...values: Parameter[]): Promise<R[]>;
  /** The first row. */
  get<R extends object>(sql: string, ...values: Parameter[]): Promise<R | undefined>;
  /** The first column of the first row. */
  value<T>(sql: string, ...values: Parameter[]): Promise<T | undefined>;
  /** How many rows were written. */
  run(sql: string, ...values: Parameter[]): Promise<number>;
}

/** Names of prepared statements: short, and the same on all connections of this process. */
const names = new Map<string, string>();

function nameOf(sql: string): string {
  let name = names.get(sql);
  if (name === undefined) names.set(sql, (name = `ccc_${String(names.size + 1)}`));
  return name;
}

/** All statements that were used so far: for the test of their plans. */
export function preparedStatements(): string[] {
  return [...names.keys()];
}

export function queriesOn(client: Pick<ClientBase, 'query'>): Queries {
  const query = (sql: string, values: Parameter[]) =>
    client.query<Record<string, unknown>>({
      name: nameOf(sql),
      text: sql,
      values: values.map(asStored),
    } satisfies QueryConfig);
  return {
    all: async <R extends object>(sql: string, ...values: Parameter[]) =>
      (await query(sql, values)).rows as R[],
    get: async <R extends object>(sql: string, ...values: Parameter[]) =>
      (await query(sql, values)).rows[0] as R | undefined,
    value: async <T>(sql: string, ...values: Parameter[]) => {
      const row = (await query(sql, values)).rows[0];
      return row === undefined ? undefined : (Object.values(row)[0] as T);
    },
    run: async (sql, ...values) => (await query(sql, values)).rowCount ?? 0,
  };
}

function asStored(value: Parameter): unknown {
  if (typeof value === 'string') return storableText(value);
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  if (value instanceof Array) {
    return value.map((item) => (typeof item === 'string' ? storableText(item) : item));
  }
  return value;
}

/**
 * PostgreSQL's text holds every character but U+0000, which no keyboard writes: it is stored as U+FFFD, the replacement
 * character.
 */
export function storableText(text: string): string {
  return text.includes('\0') ? text.replaceAll('\0', '\uFFFD') : text;
}
