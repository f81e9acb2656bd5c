import { readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../base/make-folder.ts';
import { SettingsError } from './settings-error.ts';

/** The record, in the data folder. */
export const RECORD_FILE = 'ccc.db';
/** What causal memory keeps beside it, in clear: not where the record is encrypted. */
export const PROJECTION_FILE = 'causal.duckdb';

/** Makes the data folder when it is missing, for its owner alone, and sees that it can be written. @throws {SettingsError} */
export async function prepareDataFolder(folder: string): Promise<void> {
  const probe = join(folder, `.write-test-${String(process.pid)}`);
  try {
    makeFolder(folder);
    if (!(await stat(folder)).isDirectory()) throw Object.assign(new Error(), { code: 'ENOTDIR' });
    await writeFile(probe, '');
    await rm(probe);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    const why = code === 'EEXIST' || code === 'ENOTDIR' ? 'there is a file in its place' : code;
    throw new SettingsError([`The data folder ${folder} (CCC_DATA_DIR) cannot be written: ${why}.`]);
  }
}

/** Takes away the projection and whatever lies beside it under its name: it is made again from the record when needed. */
export async function removeProjection(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name.startsWith(PROJECTION_FILE)) await rm(join(folder, name), { recursive: true, force: true });
  }
}

/**
 * Takes away the copies that an interrupted restore or rekey left half done beside the record: they may be in clear. Only
 * for who has the folder locked.
 */
export async function removeUnfinished(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (/^ccc\.db\.(restoring|rekeying)/.test(name)) await rm(join(folder, name), { force: true });
  }
}
