import type { Database } from 'better-sqlite3';
import type { CccError } from '../../base/ccc-error.ts';
import { prepared } from './connection.ts';
import { asCccError } from './error-crossing.ts';

/** How one call ended. */
export type Outcome = { ok: true; value: unknown } | { ok: false; error: CccError };

interface QueuedWrite {
  /** Called later, inside a transaction. */
  run: () => unknown;
  /** Called after its commit. */
  settle: (outcome: Outcome) => void;
  /** Whether it must be on the disk before it is settled. */
  durable: boolean;
}

/** A transaction takes no further writes after this much work, so that the first ones in it do not wait for long. */
const MAX_WORK_MS = 25;

/**
 * Group commit. Writes that arrive while a transaction is being committed go into the next one together and share
 * its wait for the disk. Each has a savepoint of its own: one failure rolls back alone. A write is settled after the
 * commit, so success of a durable one means that it is on the disk. Where all that wait may be lost with the power, the
 * commit does not wait for the disk: the order of commits stays, so that nothing older is lost than they.
 */
export class GroupWriter {
  readonly #database: Database;
  #queue: QueuedWrite[] = [];
  #scheduled = false;
  /** What the connection is set to. */
  #waitsForDisk = true;

  constructor(database: Database) {
    this.#database = database;
  }

  submit(write: QueuedWrite): void {
    this.#queue.push(write);
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
      this.#waitForDisk(this.#queue.some(({ durable }) => durable));
      prepared(database, 'BEGIN IMMEDIATE').run();
      const start = performance.now();
      while (taken < this.#queue.length && (taken === 0 || performance.now() - start < MAX_WORK_MS)) {
        const write = this.#queue[taken] as QueuedWrite;
        taken += 1;
        outcomes.push([write, this.#runInSavepoint(write)]);
      }
      prepared(database, 'COMMIT').run();
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

  #waitForDisk(wait: boolean): void {
    if (wait === this.#waitsForDisk) return;
    this.#database.pragma(`synchronous = ${wait ? 'FULL' : 'NORMAL'}`);
    this.#waitsForDisk = wait;
  }

  /** @throws when the engine gave up the whole transaction, not just this write */
  #runInSavepoint(write: QueuedWrite): Outcome {
    const database = this.#database;
    prepared(database, 'SAVEPOINT one_write').run();
    try {
      const value = write.run();
      prepared(database, 'RELEASE one_write').run();
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
