/** `npm run backup -- FILE [--force]`: copies the record into a file, while the server runs. */
import { join, resolve } from 'node:path';
import { RECORD_FILE } from '../src/config/data-folder.ts';
import { backUp } from '../src/store/sqlite/files/backup.ts';
import { dataSettings, readArguments, runScript, UsageError } from './run-script.ts';

const USAGE = 'Usage: npm run backup -- FILE [--force]';

await runScript(async () => {
  const { names, given } = readArguments(['--force'], USAGE);
  const [target] = names;
  if (target === undefined || names.length > 1) throw new UsageError(USAGE);
  const { folder, key } = await dataSettings(false);
  const written = backUp({
    file: join(folder, RECORD_FILE),
    key,
    target: resolve(target),
    replace: given.has('--force'),
  });
  const { bytes, sessions, conversations, turns } = written;
  console.log(
    `${resolve(target)}: ${String(sessions)} sessions, ${String(conversations)} conversations, ${String(turns)} turns, ` +
      `${String(bytes)} bytes, ${key === null ? 'in clear' : 'encrypted with the key of the record'}; checked.`,
  );
});
