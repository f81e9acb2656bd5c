import { renameSync } from 'node:fs';
import SqliteDatabase from 'better-sqlite3';
import { changeKey, unlock } from '../encryption.ts';
import { newestVersion } from './backup.ts';
import {
  copyWhole,
  foldLog,
  removeWhole,
  requireSound,
  sync,
  syncFolderOf,
  type Contents,
} from './whole-file.ts';

export interface RekeyOptions {
  file: string;
  /** What it is encrypted with; null when it is in clear. */
  key: string | null;
  /** What it will be encrypted with; null for in clear. */
  newKey: string | null;
}

/**
 * Encrypts the record with another key, for the first time, or no longer. It works on a copy, which takes the record's
 * place when it is whole, checked and on the disk: whenever it is interrupted, there is a whole record, with the old key or
 * with the new one. The folder must be locked by the caller. @throws CccError storage_failed; then nothing has changed
 */
export function rekey({ file, key, newKey }: RekeyOptions): Contents {
  const copy = `${file}.rekeying`;
  try {
    foldLog(file, key);
    copyWhole(file, copy);
    encryptAnew(copy, key, newKey);
    const contents = requireSound(copy, newKey, newestVersion());
    sync(copy);
    renameSync(copy, file);
    syncFolderOf(file);
    return contents;
  } catch (error) {
    removeWhole(copy);
    throw error;
  }
}

function encryptAnew(file: string, key: string | null, newKey: string | null): void {
  const database = new SqliteDatabase(file, { fileMustExist: true });
  try {
    unlock(database, key);
    // It is a copy: nothing would be rolled back, and a journal would only be one more file.
    database.pragma('journal_mode = OFF');
    database.pragma('synchronous = OFF');
    database.pragma('temp_store = MEMORY');
    changeKey(database, newKey);
  } finally {
    database.close();
  }
}
