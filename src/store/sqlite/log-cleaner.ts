import type { Database } from 'better-sqlite3';

/** The wait before the next attempt while somebody still reads an older state, in milliseconds. */
const RETRY_MS = 500;
/** Writes of many pages, some hundred each, between two pieces: one takes about as long as such a write. */
const EASED_EVERY = 4;

/**
 * Writes the log back into the database file and cuts it to nothing, so that erased text does not live on in it
 * (in the file itself `secure_delete` overwrites it). A reader that still needs the log is not waited for: it is
 * tried again until it works.
 */
export class LogCleaner {
  readonly #database: Database;
  #retry: NodeJS.Timeout | null = null;
  #sinceEased = 0;

  constructor(database: Database) {
    this.#database = database;
  }

  clear(): void {
    this.stop();
    const timeout = this.#database.pragma('busy_timeout', { simple: true }) as number;
    this.#database.pragma('busy_timeout = 0');
    let busy = true;
    try {
      busy = this.#database.pragma('wal_checkpoint(TRUNCATE)', { simple: true }) !== 0;
    } catch {
      // Also a way to say busy, or a trouble of the disk that the next write will report.
    } finally {
      this.#database.pragma(`busy_timeout = ${timeout}`);
    }
    if (busy) this.#retry = setTimeout(() => this.clear(), RETRY_MS).unref();
  }

  /**
   * Writes a piece of the log back, now and then. Many writes of many pages would otherwise leave all of it to one that
   * has the bad luck, and everybody waits for that one.
   */
  ease(): void {
    this.#sinceEased += 1;
    if (this.#sinceEased < EASED_EVERY) return;
    this.#sinceEased = 0;
    try {
      this.#database.pragma('wal_checkpoint(PASSIVE)');
    } catch {
      // A trouble of the disk that the next write will report.
    }
  }

  stop(): void {
    if (this.#retry) clearTimeout(this.#retry);
    this.#retry = null;
  }
}
