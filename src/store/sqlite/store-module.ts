import type { Database } from 'better-sqlite3';

/** The synchronous face of an asynchronous store interface: what SQLite really does. */
export type Sync<T> = {
  [K in keyof T]: T[K] extends (...args: infer A) => Promise<infer R> ? (...args: A) => R : never;
};

/**
 * One part of the DAL on SQLite: its methods, and which of them write. A writing method runs inside a transaction
 * that the caller has opened (with a savepoint of its own, so that one failure takes nothing else with it); it must
 * not begin or end one. A reading method runs on a read-only connection, in one read transaction.
 *
 * `create` is called once for each connection, reader and writer. Every method must be an own property of what it
 * returns: the list of methods is taken from there.
 */
export interface StoreModule<T> {
  writes: readonly (keyof T & string)[];
  /** Writing methods that remove what somebody wants gone for good: the log is cleared of it before they answer. */
  erases?: readonly (keyof T & string)[];
  /**
   * Writing methods whose work may be lost with the power, because it is then done again: they do not wait for the disk
   * where nothing else does. A crash of the process loses none of them.
   */
  repeatable?: readonly (keyof T & string)[];
  /** Writing methods that change very many pages: the log is written back in small pieces between them. */
  eases?: readonly (keyof T & string)[];
  create(database: Database): Sync<T>;
}
