/**
 * `npm run rekey [-- --clear]`: encrypts the record with CCC_NEW_ENCRYPTION_KEY (or what is in the file
 * CCC_NEW_ENCRYPTION_KEY_FILE) instead of CCC_ENCRYPTION_KEY; for the first time, when that is not set; no longer, with
 * --clear. The server must be stopped.
 */
import { join } from 'node:path';
import { RECORD_FILE, removeProjection } from '../src/config/data-folder.ts';
import { readEnvironment } from '../src/config/load.ts';
import { SETTINGS } from '../src/config/schema.ts';
import { withSecretFile } from '../src/config/secret-file.ts';
import { rekey } from '../src/store/sqlite/files/rekey.ts';
import { lockFolder } from '../src/store/sqlite/folder-lock.ts';
import { dataSettings, readArguments, runScript, UsageError } from './run-script.ts';

const NEW_KEY = 'CCC_NEW_ENCRYPTION_KEY';
const USAGE = `Set ${NEW_KEY} or ${NEW_KEY}_FILE, beside CCC_ENCRYPTION_KEY when the record is encrypted; or decrypt it: npm run rekey -- --clear`;

await runScript(async () => {
  const { names, given } = readArguments(['--clear'], USAGE);
  const clear = given.has('--clear');
  const newKey = readNewKey();
  if (names.length > 0 || clear === (newKey !== null)) throw new UsageError(USAGE);
  const { folder, key } = await dataSettings(true);
  if (newKey === key)
    throw new UsageError(key === null ? 'There is no key to remove.' : 'The new key is the old one.');
  const lock = await lockFolder(folder, 0);
  try {
    await removeProjection(folder);
    const { sessions, turns } = rekey({ file: join(folder, RECORD_FILE), key, newKey });
    const next = newKey === null ? 'Unset CCC_ENCRYPTION_KEY' : `Set CCC_ENCRYPTION_KEY to the new key`;
    console.log(
      `The record (${String(sessions)} sessions, ${String(turns)} turns) is ${newKey === null ? 'in clear' : 'encrypted with the new key'}. ${next} before the next start. Backups made before keep what they were made with.`,
    );
  } finally {
    lock.release();
  }
});

/** Null when none is given. */
function readNewKey(): string | null {
  const text = withSecretFile(readEnvironment(), NEW_KEY)[NEW_KEY]?.trim() ?? '';
  if (text === '') return null;
  const checked = SETTINGS.CCC_ENCRYPTION_KEY.schema.safeParse(text);
  if (checked.success) return text;
  throw new UsageError(
    `${NEW_KEY} is wrong: ${checked.error.issues.map(({ message }) => message).join('; ')}.`,
  );
}
