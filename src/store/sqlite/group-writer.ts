import type { Database } from 'better-sqlite3';
import type { CccError } from '../../base/ccc-error.ts';
import { asCccError } from './error-crossing.ts';

/** How one call ended. */
export type Outcome = { ok: true; value: unknown } | { ok: false; error: CccError };

interface QueuedWrite {
  run: () => unknown;
  settle: (outcome: Outcome) => void;
}

/** A transaction takes no further writes after this much work, so that the first ones in it do not wait for long. */
const MAX_WORK_MS = 25;

/**
 * Group commit. Writes that arrive while a transaction is being committed go into the next one together and share
 * its wait for the disk. Each has a savepoint of its own: one failure rolls back alone. A write is settled after the
 * commit, so success means that it is on the disk.
 */
export class GroupWriter {
  readonly #database: Database;
  #queue: QueuedWrite[] = [];
  #scheduled = false;

  constructor(database: Database) {
    this.#database = database;
  }

  /** `run` is called later, inside a transaction; `settle` after its commit. */
  submit(run: () => unknown, settle: (outcome: Outcome) => void): void {
    this.#queue.push({ run, settle });
    this.#schedule();
  }

  /** Commits everything that waits. */
  flush(): void {
    while (this.#queue.length > 0) this.#commitGroup();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    // After the events at hand: all writes that have arrived by then share the transaction.
    setImmediate(() => {
      this.#scheduled = false;
      if (this.#queue.length === 0) return;
      this.#commitGroup();
      if (this.#queue.length > 0) this.#schedule();
    });
  }

  #commitGroup(): void {
    const database = this.#database;
    const outcomes: [QueuedWrite, Outcome][] = [];
    let taken = 0;
    try {
      database.exec('BEGIN IMMEDIATE');
      const start = performance.now();
      while (taken < this.#queue.length && (taken === 0 || performance.now() - start < MAX_WORK_MS)) {
        const write = this.#queue[taken] as QueuedWrite;
        taken += 1;
        outcomes.push([write, this.#runInSavepoint(write)]);
      }
      database.exec('COMMIT');
    } catch (error) {
      // The transaction as a whole failed (disk full, input/output error, file locked): nothing of it is stored.
      if (database.inTransaction) rollback(database);
      // Where not even BEGIN worked (locked by another process), all have waited for it: none waits once more.
      const failed = this.#queue.splice(0, taken === 0 ? this.#queue.length : taken);
      for (const write of failed) write.settle({ ok: false, error: asCccError(error) });
      return;
    }
    this.#queue.splice(0, taken);
    for (const [write, outcome] of outcomes) write.settle(outcome);
  }

  /** @throws when the engine gave up the whole transaction, not just this write */
  #runInSavepoint(write: QueuedWrite): Outcome {
    const database = this.#database;
    database.exec('SAVEPOINT one_write');
    try {
      const value = write.run();
      database.exec('RELEASE one_write');
      return { ok: true, value };
    } catch (error) {
      if (!database.inTransaction) throw error;
      database.exec('ROLLBACK TO one_write; RELEASE one_write');
      return { ok: false, error: asCccError(error) };
    }
  }
}

function rollback(database: Database): void {
  try {
    database.exec('ROLLBACK');
  } catch {
    // The engine has rolled back already; the error that led here is the one to report.
  }
}
