import { accessSync, chmodSync, closeSync, constants, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import type { Database, Statement } from 'better-sqlite3';
import { makeFolder } from '../../base/make-folder.ts';
import { unlock } from './encryption.ts';

/** How long a statement waits for another process that holds the file, in milliseconds. */
const BUSY_TIMEOUT_MS = 5_000;
/** The write-ahead log is cut back to this size after a checkpoint, in bytes. */
const WAL_SIZE_LIMIT = 64 * 1024 * 1024;
/**
 * Pages in the log before it is written back into the file (16 MiB; SQLite's default is 4). A turn's index rows touch
 * some twenty pages, and a page that changes often is written back once: a tenth to a quarter more turns a second.
 */
const CHECKPOINT_PAGES = 4_000;
/** Page cache of one connection, in KiB (negative: SQLite's way to say so). */
const CACHE_KIB = -32_768;

/**
 * Opens the record for writing. The file and its folder are made when missing, readable by their owner only
 * (SQLite gives the log files beside it the same mode). With a key the file is encrypted.
 * @throws CccError storage_failed when the key does not fit the file, which is left as it is
 */
export function openWriterConnection(file: string, key: string | null = null): Database {
  makeFolder(dirname(file));
  makePrivate(file);
  const database = new SqliteDatabase(file, { timeout: BUSY_TIMEOUT_MS });
  try {
    unlock(database, key);
    database.pragma('journal_mode = WAL');
    // FULL: each commit is on the disk before it is acknowledged. NORMAL would lose the newest ones with the power.
    database.pragma('synchronous = FULL');
    database.pragma('foreign_keys = ON');
    database.pragma(`wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
    database.pragma(`journal_size_limit = ${WAL_SIZE_LIMIT}`);
    // What is erased is overwritten, not only unlinked.
    database.pragma('secure_delete = ON');
    setCommon(database);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Opens the record for reading only. The file must have been opened for writing first. */
export function openReaderConnection(file: string, key: string | null = null): Database {
  const database = new SqliteDatabase(file, { readonly: true, timeout: BUSY_TIMEOUT_MS });
  try {
    unlock(database, key);
    database.pragma('query_only = ON');
    database.pragma('foreign_keys = ON');
    setCommon(database);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * Makes the file when it is missing, and takes it from everybody but its owner. A file that is there is not opened: to
 * close it again would take away the locks that other connections of this process hold on it (POSIX locks are so).
 */
function makePrivate(file: string): void {
  const mode = statSync(file, { throwIfNoEntry: false })?.mode;
  // SQLite itself would open what cannot be written for reading, and fail with the first turn.
  if (mode !== undefined) accessSync(file, constants.R_OK | constants.W_OK);
  if (mode === undefined) closeSync(openSync(file, 'a', 0o600));
  else if ((mode & 0o077) !== 0) chmodSync(file, mode & 0o700);
}

function setCommon(database: Database): void {
  database.pragma('trusted_schema = OFF');
  database.pragma('temp_store = MEMORY');
  database.pragma(`cache_size = ${CACHE_KIB}`);
}

const statements = new WeakMap<Database, Map<string, Statement>>();

/**
 * The prepared statement for `sql` on this connection, made once. Only for constant SQL: nothing is ever evicted.
 *
 * A limit that is bound is written `LIMIT +@limit`: for a bare one SQLite plans the statement anew with each value it is given,
 * which takes five times as long as most of these statements do.
 */
export function prepared(database: Database, sql: string): Statement {
  let known = statements.get(database);
  if (!known) statements.set(database, (known = new Map()));
  let statement = known.get(sql);
  if (!statement) known.set(sql, (statement = database.prepare(sql)));
  return statement;
}

/** The SQL of all statements prepared on this connection so far: for the test of their query plans. */
export function preparedSql(database: Database): string[] {
  return [...(statements.get(database)?.keys() ?? [])];
}
