import { copyFileSync, existsSync, linkSync, renameSync, rmSync } from 'node:fs';
import { CccError } from '../../../base/ccc-error.ts';
import { newestVersion } from './backup.ts';
import {
  COMPANIONS,
  contentsOf,
  copyWhole,
  foldLog,
  openWhole,
  RecordInUse,
  removeWhole,
  requireSound,
  sync,
  syncFolderOf,
  type Contents,
} from './whole-file.ts';

export interface RestoreOptions {
  /** The backup. */
  source: string;
  /** The record that it becomes. */
  file: string;
  key: string | null;
  /** Whether a record with something in it, or one that cannot be read, may make way. */
  force: boolean;
  /** For the name of the one that makes way, milliseconds. */
  now: number;
}

/**
 * Puts a backup in the place of the record. The backup is copied and checked first; the record that was there is kept
 * beside it under another name. Whenever it is interrupted, there is a whole record under the right name: the old one or
 * the new one. The folder must be locked by the caller. @throws CccError storage_failed; then nothing has changed
 */
export function restore({
  source,
  file,
  key,
  force,
  now,
}: RestoreOptions): Contents & { keptAs: string | null } {
  const copy = `${file}.restoring`;
  try {
    if (!existsSync(source)) throw new CccError('storage_failed', `There is no file ${source}.`);
    copyWhole(source, copy);
    foldLog(copy, key);
    const contents = requireSound(copy, key, newestVersion());
    sync(copy);
    const keptAs = existsSync(file) ? keepAside(file, key, force, now) : null;
    for (const end of COMPANIONS) rmSync(file + end, { force: true });
    renameSync(copy, file);
    syncFolderOf(file);
    return { ...contents, keptAs };
  } catch (error) {
    removeWhole(copy);
    throw error;
  }
}

/** Gives the record a second name, under which it stays. */
function keepAside(file: string, key: string | null, force: boolean, now: number): string {
  const trouble = whyNotOverwrite(file, key);
  if (trouble !== null && !force) {
    throw new CccError('storage_failed', `${trouble} With --force it is kept under another name.`);
  }
  const stamp = new Date(now).toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const aside = `${file}.before-restore-${stamp}`;
  // A log that could not be written back goes along.
  for (const end of ['', '-wal']) if (existsSync(file + end)) link(file + end, aside + end);
  syncFolderOf(file);
  return aside;
}

/** Null when nothing would be missed. @throws CccError when the record is in use */
function whyNotOverwrite(file: string, key: string | null): string | null {
  try {
    foldLog(file, key);
    const database = openWhole(file, key, { readonly: true, alone: false });
    try {
      const { sessions, turns } = contentsOf(database);
      return sessions === 0 ? null : `${file} holds ${sessions} sessions with ${turns} turns.`;
    } finally {
      database.close();
    }
  } catch (error) {
    if (error instanceof RecordInUse) throw error;
    return `${file} cannot be read (${error instanceof Error ? error.message : String(error)}).`;
  }
}

function link(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    // Some file systems have no second names.
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw error;
    copyFileSync(from, to);
    sync(to);
  }
}
