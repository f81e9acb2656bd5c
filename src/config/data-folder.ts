import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SettingsError } from './load.ts';

/** Makes the data folder when it is missing, for its owner alone, and sees that it can be written. @throws {SettingsError} */
export async function prepareDataFolder(folder: string): Promise<void> {
  const probe = join(folder, `.write-test-${String(process.pid)}`);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeFile(probe, '');
    await rm(probe);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    const why = code === 'EEXIST' || code === 'ENOTDIR' ? 'there is a file in its place' : code;
    throw new SettingsError([`The data folder ${folder} (CCC_DATA_DIR) cannot be written: ${why}.`]);
  }
}
