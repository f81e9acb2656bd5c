import { CccError } from '../../base/ccc-error.ts';
import type { DuckDBConnection, DuckDBInstance, DuckDBType, DuckDBValue } from '@duckdb/node-api';

/**
 * Memory that the projection may take, and threads: it answers one question at a time, and most are small. Vectors are not
 * compressed: that saves a seventh of their size, and reading them takes twice as long (105 against 55 ms for 100,000 of
 * 384 numbers). It can only be said for all columns; the others are small.
 */
const SETTINGS = {
  memory_limit: '256MB',
  threads: '1',
  force_compression: 'uncompressed',
  autoinstall_known_extensions: 'false',
  autoload_known_extensions: 'false',
};
/**
 * Rows that are skipped or read together. DuckDB's own 122,880 are more than a large session has, and a step from one
 * event to its causes would read all of them; with 8,192 it took half the time, with 2,048 no less.
 */
const ROW_GROUP_SIZE = 8192;
/** Rows in one chunk, as DuckDB's vectors have them. */
const CHUNK_ROWS = 2048;
/** Memory where there is no file to keep the rest in. */
const MEMORY_ONLY_LIMIT = '1GB';

export type ColumnType = 'integer' | 'bigint' | 'utinyint' | 'double' | 'varchar';
export type Row = (number | string | null)[];
/** A Float32Array stands for a FLOAT[n]. */
export type Value = number | bigint | string | Float32Array;

/** A column on its way in; times are whole milliseconds in a Float64Array. */
export interface ColumnData {
  type: ColumnType;
  values: { readonly length: number; readonly [at: number]: number | string } | number;
}

/** A column of vectors of one dimension on its way in. */
export interface VectorData {
  type: 'vector';
  dimension: number;
  values: readonly Float32Array[];
}

/** One DuckDB database. Not for concurrent use: the projection asks one thing at a time. */
export interface Duck {
  run(sql: string, values?: Value[]): Promise<void>;
  /** All rows; BIGINT comes back as number (everything stored here is below 2^53). */
  rows(sql: string, values?: Value[]): Promise<Row[]>;
  /** Adds `count` rows to a table, column by column. */
  append(table: string, count: number, columns: (ColumnData | VectorData)[]): Promise<void>;
  /** Writes all that is there into a new file, and nothing of what was deleted; then does `change` on it, as `copy.…`. */
  copyTo(file: string, change: string): Promise<void>;
  /** A second connection to the same database, for questions alone: to be closed before this one. */
  reader(): Promise<DuckReader>;
  /** Stops what is being asked, which then fails. */
  interrupt(): void;
  close(): void;
}

/** What one may do with a second connection. */
export type DuckReader = Pick<Duck, 'rows' | 'interrupt' | 'close'>;

/**
 * Opens a database in a file, or in memory with null. The native library is loaded on first use: it takes a tenth of a
 * second and 50 MB, which a server without causes never needs.
 */
export async function openDuck(file: string | null): Promise<Duck> {
  const duckdb = await loadClient();
  const instance: DuckDBInstance = await duckdb.DuckDBInstance.create(':memory:', {
    ...SETTINGS,
    // What does not fit into memory goes beside the file; without one nowhere, because it would lie there in clear.
    ...(file === null
      ? { temp_directory: '', memory_limit: MEMORY_ONLY_LIMIT }
      : { temp_directory: `${file}.tmp` }),
  });
  let connection: DuckDBConnection;
  try {
    connection = await instance.connect();
    // Attached, because only so can the size be said.
    await connection.run(attach(file ?? ':memory:', 'projection'));
    await connection.run('USE projection');
  } catch (error) {
    instance.closeSync();
    throw error;
  }
  return {
    ...faceOf(duckdb, connection),
    reader: async () => {
      const second = await instance.connect();
      await second.run('USE projection');
      const face = faceOf(duckdb, second);
      return {
        rows: face.rows,
        interrupt: face.interrupt,
        close: () => {
          second.closeSync();
        },
      };
    },
    close: () => {
      connection.closeSync();
      instance.closeSync();
    },
  };
}

function faceOf(
  duckdb: Awaited<ReturnType<typeof loadClient>>,
  connection: DuckDBConnection,
): Omit<Duck, 'reader' | 'close'> {
  const vectorType = (dimension: number) => duckdb.ARRAY(duckdb.FLOAT, dimension);
  const bound = (values: Value[] = []): [DuckDBValue[], DuckDBType[]] => [
    values.map((value) => (value instanceof Float32Array ? duckdb.arrayValue([...value]) : value)),
    // Where no type is named, the client takes the one that fits; its own declaration does not say so for arrays.
    values.map((value) =>
      value instanceof Float32Array ? vectorType(value.length) : undefined,
    ) as DuckDBType[],
  ];
  const types: Record<ColumnType, DuckDBType> = {
    integer: duckdb.INTEGER,
    bigint: duckdb.BIGINT,
    utinyint: duckdb.UTINYINT,
    double: duckdb.DOUBLE,
    varchar: duckdb.VARCHAR,
  };
  return {
    run: async (sql, values) => {
      await connection.run(sql, ...bound(values));
    },
    rows: async (sql, values) => {
      const reader = await connection.runAndReadAll(sql, ...bound(values));
      return reader.getRows().map((row) => row.map(plain));
    },
    append: async (table, count, columns) => {
      if (count === 0) return;
      const appender = await connection.createAppender(table);
      try {
        for (let from = 0; from < count; from += CHUNK_ROWS) {
          const rows = Math.min(CHUNK_ROWS, count - from);
          const chunk = duckdb.DuckDBDataChunk.create(
            columns.map((column) =>
              column.type === 'vector' ? vectorType(column.dimension) : types[column.type],
            ),
            rows,
          );
          chunk.setColumns(
            columns.map((column) =>
              column.type === 'vector'
                ? column.values.slice(from, from + rows).map((vector) => duckdb.arrayValue([...vector]))
                : slice(column, from, rows),
            ),
          );
          appender.appendDataChunk(chunk);
        }
        appender.flushSync();
      } finally {
        appender.closeSync();
      }
    },
    copyTo: async (file, change) => {
      await connection.run(attach(file, 'copy'));
      await connection.run('COPY FROM DATABASE projection TO copy');
      await connection.run(change);
      await connection.run('DETACH copy');
    },
    interrupt: () => {
      connection.interrupt();
    },
  };
}

/** @throws CccError storage_failed where it is not installed, or not for this machine */
function loadClient() {
  return import('@duckdb/node-api').catch((cause: unknown) => {
    throw new CccError('storage_failed', 'Causal memory is not available: DuckDB could not be loaded.', {
      cause,
    });
  });
}

function attach(file: string, name: string): string {
  return `ATTACH '${file.replaceAll("'", "''")}' AS ${name} (ROW_GROUP_SIZE ${String(ROW_GROUP_SIZE)})`;
}

function slice({ type, values }: ColumnData, from: number, rows: number): DuckDBValue[] {
  return Array.from({ length: rows }, (_, at) => {
    const value = typeof values === 'number' ? values : (values[from + at] ?? 0);
    return type === 'bigint' ? BigInt(value) : value;
  });
}

function plain(value: DuckDBValue): number | string | null {
  if (typeof value === 'bigint') return Number(value);
  return typeof value === 'number' || typeof value === 'string' ? value : null;
}
