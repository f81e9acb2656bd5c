import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import SqliteDatabase from 'better-sqlite3';
import { CccError } from '../../base/ccc-error.ts';

/** Held by whoever works on the folder. It is an SQLite file without content, because SQLite's locks end with a process. */
const LOCK_FILE = 'ccc.lock';
/** How long somebody who is just stopping is waited for, in milliseconds. */
const PATIENCE_MS = 2_000;
const RETRY_MS = 50;

export interface FolderLock {
  release(): void;
}

/**
 * Takes the data folder for this process alone: a server while it runs, and `restore` and `rekey` while they work. It is
 * free again when the process ends, however it ends.
 * @throws CccError storage_failed when another process keeps it for `patienceMs`
 */
export async function lockFolder(folder: string, patienceMs = PATIENCE_MS): Promise<FolderLock> {
  const file = join(folder, LOCK_FILE);
  closeSync(openSync(file, 'a', 0o600));
  const database = new SqliteDatabase(file, { timeout: 0 });
  const end = performance.now() + patienceMs;
  for (;;) {
    try {
      database.exec('BEGIN EXCLUSIVE');
      return {
        release: () => {
          database.close();
        },
      };
    } catch (error) {
      const busy = error instanceof SqliteDatabase.SqliteError && error.code.startsWith('SQLITE_BUSY');
      if (!busy || performance.now() > end) {
        database.close();
        if (!busy) throw new CccError('storage_failed', `${file} could not be locked.`, { cause: error });
        throw new CccError(
          'storage_failed',
          `Another process works on ${folder}: a server that runs, or a restore or rekey. Stop it first.`,
        );
      }
    }
    await sleep(RETRY_MS);
  }
}
