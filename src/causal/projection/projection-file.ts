import { chmodSync, existsSync, renameSync, rmSync } from 'node:fs';
import type { Logger } from '../../base/logger.ts';
import { openDuck, type Duck } from './duckdb.ts';
import { createTables, isCurrent } from './schema.ts';
import { dropVectors, hasTraces, vectorSizes } from './vector-tables.ts';

/** How long a file that could not be opened is left alone before it is tried again, in milliseconds. */
const RETRY_MS = 30_000;

/** The file that the projection is kept in. Whatever is wrong with it, it can be made again from the record. */
export class ProjectionFile {
  readonly #file: string;
  readonly #keepsVectors: boolean;
  readonly #logger: Logger;
  readonly #now: () => number;
  readonly #close: (duck: Duck) => Promise<void>;
  #retryAt = 0;
  #trouble: string | null = null;

  constructor(options: {
    file: string;
    /** Without an embedding model nobody wants those that are there. */
    keepsVectors: boolean;
    logger: Logger;
    /** Milliseconds since the epoch. */
    now: () => number;
    /** Closes a database after those who still ask it. */
    close: (duck: Duck) => Promise<void>;
  }) {
    this.#file = options.file;
    this.#keepsVectors = options.keepsVectors;
    this.#logger = options.logger;
    this.#now = options.now;
    this.#close = options.close;
  }

  get exists(): boolean {
    return existsSync(this.#file);
  }

  /** Whether it has been left alone long enough. */
  get mayBeTried(): boolean {
    return this.#now() >= this.#retryAt;
  }

  /** Why it is not in use; null while it is, or while it was not tried. */
  get trouble(): string | null {
    return this.#trouble;
  }

  /** Its database, made anew when it is not usable; null when not even that is possible. */
  async open(): Promise<Duck | null> {
    for (const attempt of this.exists ? [1, 2] : [2]) {
      let duck: Duck | null = null;
      try {
        duck = attempt === 1 ? await openDuck(this.#file) : await fresh(this.#file);
        if (attempt === 1 && (await this.#isToBeWrittenAnew(duck))) {
          await this.writeAnew(duck);
          duck = await openDuck(this.#file);
        }
        if (attempt === 2 || (await isCurrent(duck))) {
          chmodSync(this.#file, 0o600);
          this.#trouble = null;
          return duck;
        }
        duck.close();
        if (this.exists) this.remove();
      } catch (error) {
        duck?.close();
        if (isLocked(error) || attempt === 2) {
          this.#retryAt = this.#now() + RETRY_MS;
          this.#trouble = isLocked(error)
            ? 'Another process has the file of the projection; it is kept in memory meanwhile.'
            : 'The file of the projection cannot be made; it is kept in memory meanwhile.';
          this.#logger.warn({ err: error }, this.#trouble);
          return null;
        }
        this.#logger.warn({ err: error }, 'the file of the causal projection is damaged: made again');
        this.remove();
      }
    }
    return null;
  }

  /**
   * Puts a file without anything of what was deleted in the place of this one, and closes the database. DuckDB only marks the
   * space of deleted rows as free, and a vector tells of the text that it was made of; what else the projection holds tells
   * nothing.
   */
  async writeAnew(duck: Duck): Promise<void> {
    const copy = `${this.#file}.new`;
    rmSync(copy, { force: true });
    await duck.copyTo(copy, 'UPDATE copy.meta SET traces = false');
    await this.#close(duck);
    rmSync(`${this.#file}.wal`, { force: true });
    renameSync(copy, this.#file);
    chmodSync(this.#file, 0o600);
  }

  remove(): void {
    try {
      for (const name of ['', '.wal', '.new']) rmSync(this.#file + name, { force: true });
    } catch (error) {
      this.#logger.warn({ err: error }, 'the file of the causal projection cannot be removed');
    }
  }

  /** Whether vectors were deleted from the file, or nobody wants those that are there. */
  async #isToBeWrittenAnew(duck: Duck): Promise<boolean> {
    if (!(await isCurrent(duck))) return false;
    if (!this.#keepsVectors && (await vectorSizes(duck)).length > 0) await dropVectors(duck);
    return hasTraces(duck);
  }
}

/** An empty database in a file, or in memory with null. */
export async function fresh(file: string | null): Promise<Duck> {
  const duck = await openDuck(file);
  try {
    await createTables(duck);
    return duck;
  } catch (error) {
    duck.close();
    throw error;
  }
}

function isLocked(error: unknown): boolean {
  return /could not set lock|conflicting lock|being used by another process/i.test(
    error instanceof Error ? error.message : String(error),
  );
}
