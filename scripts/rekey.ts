/**
 * `npm run rekey [-- --clear]`: encrypts the record with CCC_NEW_ENCRYPTION_KEY (or what is in the file
 * CCC_NEW_ENCRYPTION_KEY_FILE) instead of CCC_ENCRYPTION_KEY; for the first time, when that is not set; no longer, with
 * --clear. A record in clear is encrypted with CCC_ENCRYPTION_KEY when that is the only one. The server must be stopped.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { RECORD_FILE, removeProjection } from '../src/config/data-folder.ts';
import { readEnvironment } from '../src/config/load.ts';
import { SETTINGS } from '../src/config/schema.ts';
import { withSecretFile } from '../src/config/secret-file.ts';
import { sealOf } from '../src/store/sqlite/encryption.ts';
import { rekey } from '../src/store/sqlite/files/rekey.ts';
import { lockFolder } from '../src/store/sqlite/folder-lock.ts';
import { dataSettings, readArguments, runScript, UsageError } from './run-script.ts';

const NEW_KEY = 'CCC_NEW_ENCRYPTION_KEY';
const USAGE = `Set ${NEW_KEY} or ${NEW_KEY}_FILE, beside CCC_ENCRYPTION_KEY when the record is encrypted; or decrypt it: npm run rekey -- --clear`;

await runScript(async () => {
  const { names, given } = readArguments(['--clear'], USAGE);
  const { folder, key: setKey } = await dataSettings(false);
  const file = join(folder, RECORD_FILE);
  if (!existsSync(file)) throw new UsageError(`There is no record at ${file}; see CCC_DATA_DIR.`);
  const { key, newKey } = chooseKeys(setKey, given.has('--clear'), file);
  if (names.length > 0) throw new UsageError(USAGE);
  const lock = await lockFolder(folder, 0);
  try {
    const { sessions, turns } = rekey({ file, key, newKey });
    // It was in clear, and is made again.
    await removeProjection(folder);
    const next = newKey === null ? 'Unset CCC_ENCRYPTION_KEY' : 'Set CCC_ENCRYPTION_KEY to that key';
    console.log(
      `The record (${String(sessions)} sessions, ${String(turns)} turns) is ${newKey === null ? 'in clear' : 'encrypted'}. ${next} before the next start. Backups made before keep what they were made with.`,
    );
  } finally {
    lock.release();
  }
});

/** From which key to which. @throws UsageError when that is not said */
function chooseKeys(setKey: string | null, clear: boolean, file: string) {
  const newKey = readNewKey();
  if (clear && newKey === null) {
    if (setKey === null) throw new UsageError('There is no key to remove: CCC_ENCRYPTION_KEY is not set.');
    return { key: setKey, newKey: null };
  }
  // What the server says who was given a key for a record in clear: it is to become its key.
  if (!clear && newKey === null && setKey !== null && sealOf(file) === 'clear') {
    return { key: null, newKey: setKey };
  }
  if (clear || newKey === null) throw new UsageError(USAGE);
  if (newKey === setKey) throw new UsageError('The new key is the old one.');
  return { key: setKey, newKey };
}

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
