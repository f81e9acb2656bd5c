import type { Queries } from './queries.ts';

/**
 * One part of the DAL on PostgreSQL: its methods, and which of them write. `create` is called for each transaction, on the
 * connection that has it; methods must not begin or end one.
 *
 * A writing method that touches a session takes its lock first (`lockSession`, or what calls it): so everything that is
 * written to one session is written one after the other, whichever server does it, as SQLite's single writer does. It may
 * be run again from the beginning when the database asks for it (a deadlock), so it does nothing else than query.
 */
export interface PostgresModule<T> {
  writes: readonly (keyof T & string)[];
  /** Reading methods that make several statements which must see one state of the record. */
  snapshots?: readonly (keyof T & string)[];
  create(db: Queries): T;
}
