import { accessSync, closeSync, constants, existsSync, openSync, renameSync, statSync } from 'node:fs';
import type { Database } from 'better-sqlite3';
import { CccError } from '../../../base/ccc-error.ts';
import { migrationFolder, readMigrations } from '../../migration-files.ts';
import { openWhole, removeWhole, requireSound, sync, syncFolderOf, type Contents } from './whole-file.ts';

export interface BackupOptions {
  file: string;
  key: string | null;
  target: string;
  /** Whether a file that is there may be replaced. */
  replace: boolean;
}

/**
 * Writes the state of a record at one moment into a new file, encrypted with the same key, while others go on writing it.
 * Everything that was acknowledged before the call is in it. The target appears under its name when it is whole, checked
 * and on the disk, or not at all. @throws CccError storage_failed
 */
export function backUp({ file, key, target, replace }: BackupOptions): Contents & { bytes: number } {
  if (existsSync(target) && !replace) {
    throw new CccError('storage_failed', `${target} is there already; --force replaces it.`);
  }
  const part = `${target}.part`;
  const database = openSource(file, key);
  try {
    removeWhole(part);
    closeSync(openSync(part, 'wx', 0o600));
    // One read transaction: it sees one state, and in WAL mode it holds up nobody who writes.
    database.prepare('VACUUM INTO ?').run(part);
    sync(part);
    const contents = requireSound(part, key, newestVersion());
    renameSync(part, target);
    syncFolderOf(target);
    return { ...contents, bytes: statSync(target).size };
  } catch (error) {
    removeWhole(part);
    if (error instanceof CccError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new CccError('storage_failed', `${target} could not be written: ${reason}.`);
  } finally {
    database.close();
  }
}

/** For writing where that can be, so that the last one who closes it takes its empty log away. */
function openSource(file: string, key: string | null): Database {
  if (!isWritable(file)) return openWhole(file, key, { readonly: true, alone: false });
  try {
    return openWhole(file, key, { readonly: false, alone: false });
  } catch (error) {
    // A stopped server's full disk has no room even for the file by which several share a record.
    if (!(error instanceof Error && /disk I\/O|unable to open/.test(error.message))) throw error;
    return openWhole(file, key, { readonly: false, alone: true });
  }
}

function isWritable(file: string): boolean {
  try {
    accessSync(file, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** The newest schema version that this code knows. */
export function newestVersion(): number {
  return Math.max(...readMigrations(migrationFolder('sqlite')).map(({ version }) => version));
}
