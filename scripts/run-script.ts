import { resolve } from 'node:path';
import { prepareDataFolder } from '../src/config/data-folder.ts';
import { loadSettings, readEnvironment } from '../src/config/load.ts';
import { startFailure } from '../src/start-failure.ts';

/** What a person is told in one line, with exit code 1. */
export class UsageError extends Error {}

/** Runs a script's work; what goes wrong is one line on standard error and exit code 1. */
export async function runScript(work: () => Promise<void> | void): Promise<void> {
  try {
    await work();
  } catch (error) {
    console.error(startFailure(error));
    process.exitCode = 1;
  }
}

/** The data folder and the key, as the server would take them. The folder is made when `make` says so. */
export async function dataSettings(make: boolean): Promise<{ folder: string; key: string | null }> {
  const { settings } = loadSettings(readEnvironment());
  if (settings.CCC_DATABASE_URL !== undefined) {
    throw new UsageError(
      'The record is on PostgreSQL (CCC_DATABASE_URL), and this is for the file of SQLite. See docs/scaling.md.',
    );
  }
  const folder = resolve(settings.CCC_DATA_DIR);
  if (make) await prepareDataFolder(folder);
  return { folder, key: settings.CCC_ENCRYPTION_KEY ?? null };
}

/** The arguments without the options, and which of `options` are among them. @throws UsageError on any other option */
export function readArguments(options: string[], usage: string): { names: string[]; given: Set<string> } {
  const given = process.argv.slice(2).filter((argument) => argument.startsWith('--'));
  const unknown = given.find((option) => !options.includes(option));
  if (unknown !== undefined) throw new UsageError(`There is no option ${unknown}. ${usage}`);
  const names = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
  return { names, given: new Set(given) };
}
