import { closeSync, openSync, readSync } from 'node:fs';
import SqliteDatabase from 'better-sqlite3';
import type { Database } from 'better-sqlite3';
import { CccError } from '../../base/ccc-error.ts';

/** The format of encrypted files: SQLCipher 4's. See docs/decisions/0010-encryption-in-the-engine.md. */
const CIPHER = 'sqlcipher';
/** What an SQLite file begins with when it is in clear; an encrypted one begins with random bytes. */
const CLEAR_HEADER = 'SQLite format 3\0';

/** What better-sqlite3-multiple-ciphers has beside what the types of better-sqlite3 know. */
interface Encryptable {
  key(key: Buffer): void;
  rekey(key: Buffer): void;
}

/** What a file looks like from outside. `sealed` is most likely encrypted: only the key can tell. */
export type Seal = 'unknown' | 'clear' | 'sealed';

/** What sixteen random bytes are once in ten million times, and the beginning of a text always is. */
const TEXT = /^[\t\n\r -~]*$/;

/**
 * Reads the first bytes of a file, and nothing else. Of one that is missing, empty, not to be read, or a text, nothing is
 * known. Not for a file that this process has open as a database: closing it here would take away the locks that those
 * connections hold (POSIX locks are so).
 */
export function sealOf(file: string): Seal {
  let descriptor: number | null = null;
  try {
    descriptor = openSync(file, 'r');
    const header = Buffer.alloc(CLEAR_HEADER.length);
    const length = readSync(descriptor, header, 0, header.length, 0);
    const text = header.toString('latin1', 0, length);
    if (text === CLEAR_HEADER) return 'clear';
    return length < header.length || TEXT.test(text) ? 'unknown' : 'sealed';
  } catch {
    // Whoever opens it will say what is wrong with it.
    return 'unknown';
  } finally {
    if (descriptor !== null) closeSync(descriptor);
  }
}

/**
 * Says what to do when a key and a file do not belong together, before the file is opened: SQLite would write the log
 * back even into a file that it cannot read. Under the same condition as `sealOf`. @throws CccError storage_failed
 */
export function requireFittingSeal(file: string, key: string | null): void {
  const seal = sealOf(file);
  if (seal === 'clear' && key !== null) {
    throw new CccError(
      'storage_failed',
      `${file} is not encrypted, but there is a key for it. Encrypt it with "npm run rekey", or unset CCC_ENCRYPTION_KEY. Nothing was touched.`,
    );
  }
  if (seal === 'sealed' && key === null) {
    throw new CccError(
      'storage_failed',
      `${file} is encrypted or damaged. If it is encrypted, set CCC_ENCRYPTION_KEY or CCC_ENCRYPTION_KEY_FILE. Nothing was touched.`,
    );
  }
}

/**
 * Gives a connection its key, before anything is read through it, and sees that it opens the file. No message of these
 * ever holds the key. @throws CccError storage_failed when the key is wrong
 */
export function unlock(database: Database, key: string | null): void {
  if (key !== null) {
    database.pragma(`cipher = '${CIPHER}'`);
    encryptable(database).key(Buffer.from(key));
  }
  try {
    database.prepare('SELECT count(*) FROM sqlite_schema').get();
  } catch (error) {
    if (key !== null && error instanceof SqliteDatabase.SqliteError && error.code === 'SQLITE_NOTADB') {
      throw new CccError(
        'storage_failed',
        `CCC_ENCRYPTION_KEY is not the key of ${database.name}, or the file is damaged. Nothing was touched.`,
      );
    }
    throw error;
  }
}

/** Encrypts all pages with another key, or with null writes them in clear. Not for a file that others have open. */
export function changeKey(database: Database, key: string | null): void {
  database.pragma(`cipher = '${CIPHER}'`);
  encryptable(database).rekey(Buffer.from(key ?? ''));
}

function encryptable(database: Database): Encryptable {
  return database as unknown as Encryptable;
}
