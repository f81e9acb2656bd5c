/** `npm run restore -- FILE [--force]`: makes a backup the record again. The server must be stopped. */
import { join, resolve } from 'node:path';
import { RECORD_FILE, removeProjection } from '../src/config/data-folder.ts';
import { restore } from '../src/store/sqlite/files/restore.ts';
import { lockFolder } from '../src/store/sqlite/folder-lock.ts';
import { dataSettings, readArguments, runScript, UsageError } from './run-script.ts';

const USAGE = 'Usage: npm run restore -- FILE [--force]';

await runScript(async () => {
  const { names, given } = readArguments(['--force'], USAGE);
  const [source] = names;
  if (source === undefined || names.length > 1) throw new UsageError(USAGE);
  const { folder, key } = await dataSettings(true);
  const lock = await lockFolder(folder, 0);
  try {
    // It belongs to the record that makes way; it is made anew from whichever there will be.
    await removeProjection(folder);
    const { sessions, conversations, turns, keptAs } = restore({
      source: resolve(source),
      file: join(folder, RECORD_FILE),
      key,
      force: given.has('--force'),
      now: Date.now(),
    });
    console.log(
      `Restored ${String(sessions)} sessions, ${String(conversations)} conversations, ${String(turns)} turns.` +
        (keptAs === null ? '' : ` What was there before is kept as ${keptAs}.`),
    );
  } finally {
    lock.release();
  }
});
