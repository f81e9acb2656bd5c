import { closeSync, copyFileSync, existsSync, fsyncSync, openSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import type { Database } from 'better-sqlite3';
import { CccError } from '../../../base/ccc-error.ts';
import { requireFittingSeal, unlock } from '../encryption.ts';

/** What stands beside a database file while it is in use. */
export const COMPANIONS = ['-wal', '-shm', '-journal'];

/** How much a record holds, for people to compare. */
export interface Contents {
  sessions: number;
  conversations: number;
  turns: number;
}

/** Another process has the file open. */
export class RecordInUse extends CccError {
  constructor(file: string) {
    super('storage_failed', `${file} is in use by another process. Stop it first.`);
  }
}

/**
 * Opens a file that must be there. Nobody is waited for. `alone` keeps everybody else out, and then needs no `-shm` file,
 * which a full disk has no room for. @throws CccError storage_failed when the key does not fit
 */
export function openWhole(
  file: string,
  key: string | null,
  { readonly, alone }: { readonly: boolean; alone: boolean },
): Database {
  if (!existsSync(file)) throw new CccError('storage_failed', `There is no file ${file}.`);
  requireFittingSeal(file, key);
  const database = new SqliteDatabase(file, { readonly, timeout: 0 });
  try {
    if (alone) database.pragma('locking_mode = EXCLUSIVE');
    unlock(database, key);
    database.pragma('temp_store = MEMORY');
    return database;
  } catch (error) {
    database.close();
    throw isBusy(error) ? new RecordInUse(file) : asRecordError(file, error);
  }
}

/**
 * Writes the log of a record back into it, so that the one file is all there is.
 * @throws CccError storage_failed when another process has it open
 */
export function foldLog(file: string, key: string | null): void {
  const database = openWhole(file, key, { readonly: false, alone: true });
  try {
    const mode = database.pragma('journal_mode = DELETE', { simple: true });
    if (mode !== 'delete') throw new RecordInUse(file);
  } catch (error) {
    throw isBusy(error) ? new RecordInUse(file) : asRecordError(file, error);
  } finally {
    database.close();
  }
}

/**
 * Reads all of a file: is it sound, and is it a record of CCC's that this version knows?
 * @throws CccError storage_failed when it is not
 */
export function requireSound(file: string, key: string | null, knownVersion: number): Contents {
  const database = openWhole(file, key, { readonly: true, alone: false });
  try {
    const problems = [
      ...(database.pragma('integrity_check(3)') as { integrity_check: string }[])
        .map((row) => row.integrity_check)
        .filter((text) => text !== 'ok'),
      ...(database.pragma('foreign_key_check') as { table: string; parent: string }[])
        .slice(0, 3)
        .map(({ table, parent }) => `a row of ${table} refers to a missing row of ${parent}`),
    ];
    if (problems.length > 0)
      throw new CccError('storage_failed', `${file} is damaged: ${problems.join('; ')}.`);
    const version = database.prepare('SELECT max(version) FROM schema_migrations').pluck().get() as number;
    if (version > knownVersion) {
      throw new CccError(
        'storage_failed',
        `${file} has schema version ${version}, which this version of CCC does not know: it was written by a newer one.`,
      );
    }
    return contentsOf(database);
  } catch (error) {
    throw asRecordError(file, error);
  } finally {
    database.close();
  }
}

/** Counted, not taken from the counters that the record keeps. */
export function contentsOf(database: Database): Contents {
  return database
    .prepare(
      `SELECT (SELECT count(*) FROM sessions) AS sessions, (SELECT count(*) FROM conversations) AS conversations,
              (SELECT count(*) FROM turns) AS turns`,
    )
    .get() as Contents;
}

/** A private copy of a file's bytes, and of its log where it has one. */
export function copyWhole(from: string, to: string): void {
  removeWhole(to);
  for (const end of ['', '-wal']) {
    if (end !== '' && !existsSync(from + end)) continue;
    closeSync(openSync(to + end, 'wx', 0o600));
    copyFileSync(from + end, to + end);
  }
}

export function removeWhole(file: string): void {
  for (const end of ['', ...COMPANIONS]) rmSync(file + end, { force: true });
}

/** Has a file, or a folder's list of names, on the disk before it returns. */
export function sync(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

export function syncFolderOf(file: string): void {
  sync(dirname(file));
}

function asRecordError(file: string, error: unknown): CccError {
  if (error instanceof CccError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new CccError('storage_failed', `${file} is no sound record: ${reason}.`);
}

function isBusy(error: unknown): boolean {
  return error instanceof SqliteDatabase.SqliteError && /^SQLITE_(BUSY|LOCKED)/.test(error.code);
}
