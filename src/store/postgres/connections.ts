import { DatabaseError, Pool, types, type ClientBase, type PoolClient, type PoolConfig } from 'pg';
import { CccError } from '../../base/ccc-error.ts';
import type { Logger } from '../../base/logger.ts';
import { queriesOn, type Queries } from './queries.ts';

export interface ConnectionOptions {
  /** `postgres://user:password@host:port/database`, with the parameters of libpq. */
  url: string;
  /** Most connections of this process. */
  connections: number;
  /** How long a statement may take, in milliseconds. */
  statementTimeoutMs: number;
  logger: Logger;
}

/** How long a new connection may take, and how long a request waits for one that is free, in milliseconds. */
const CONNECT_TIMEOUT_MS = 5_000;
/** A connection that nobody has used for so long is closed, in milliseconds. */
const IDLE_TIMEOUT_MS = 60_000;
/** A transaction in which nothing happens for so long is ended by the server: its client is gone, in milliseconds. */
const IDLE_IN_TRANSACTION_MS = 10_000;
/** How often a transaction is begun again that the database has ended in favour of another one. */
const MOST_TRIES = 5;

/** serialization_failure and deadlock_detected (PostgreSQL, appendix A): nothing was done, and it may work now. */
const TRY_AGAIN = new Set(['40001', '40P01']);
/** read_only_sql_transaction: the server has become a standby, another one is the primary. */
const READ_ONLY = '25006';

/** int8 as a number: all that is stored here is below 2^53 (times in milliseconds, counts). */
const INT8 = 20;

/** Carries out units of work on pooled connections, each in a transaction of its own. */
export class Connections {
  readonly #pool: Pool;
  readonly #logger: Logger;
  #closing: Promise<void> | null = null;

  constructor({ url, connections, statementTimeoutMs, logger }: ConnectionOptions) {
    this.#logger = logger;
    this.#pool = new Pool({
      connectionString: url,
      application_name: 'ccc',
      max: connections,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      idleTimeoutMillis: IDLE_TIMEOUT_MS,
      idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
      statement_timeout: statementTimeoutMs,
      keepAlive: true,
      types: { getTypeParser },
    } satisfies PoolConfig);
    // One that breaks between two statements of a transaction says so to nobody but itself; the next statement fails.
    this.#pool.on('connect', (client) => {
      client.on('error', (error) => {
        logger.debug({ err: error }, 'a connection to the database broke');
      });
    });
    // An idle connection that breaks is taken out by the pool; unheard, the error would end the process.
    this.#pool.on('error', (error) => {
      logger.warn({ err: error }, 'a connection to the database was lost');
    });
  }

  /** Work that writes. It is done wholly when this resolves; it may be begun several times. */
  write<T>(work: (db: Queries) => Promise<T>): Promise<T> {
    return this.#again(() => this.#inTransaction('BEGIN', work));
  }

  /** Work that reads one state of the record with several statements. */
  snapshot<T>(work: (db: Queries) => Promise<T>): Promise<T> {
    return this.#again(() => this.#inTransaction('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY', work));
  }

  /** Work that reads with one statement, or with several between which the record may change. */
  read<T>(work: (db: Queries) => Promise<T>): Promise<T> {
    return this.#on((client) => work(queriesOn(client)));
  }

  /** Work on a connection by itself, outside of a transaction: migrations. */
  alone<T>(work: (client: ClientBase) => Promise<T>): Promise<T> {
    return this.#on(work);
  }

  close(): Promise<void> {
    this.#closing ??= this.#pool.end();
    return this.#closing;
  }

  async #again<T>(attempt: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await attempt();
      } catch (error) {
        const cause = error instanceof CccError ? error.cause : error;
        const repeatable = cause instanceof DatabaseError && TRY_AGAIN.has(cause.code ?? '');
        if (!repeatable || tries === MOST_TRIES) throw error;
        this.#logger.debug({ err: cause, tries }, 'a transaction is begun again');
      }
    }
  }

  #inTransaction<T>(begin: string, work: (db: Queries) => Promise<T>): Promise<T> {
    return this.#on(async (client) => {
      await client.query(begin);
      try {
        const result = await work(queriesOn(client));
        await client.query('COMMIT');
        return result;
      } catch (error) {
        // On a connection that is gone there is nothing to take back.
        await client.query('ROLLBACK').catch(() => undefined);
        throw error;
      }
    });
  }

  async #on<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    if (this.#closing) throw new CccError('storage_failed', 'The record is closed.');
    let client: PoolClient | null = null;
    let broken = true;
    try {
      client = await this.#pool.connect();
      const result = await work(client);
      broken = false;
      return result;
    } catch (error) {
      broken = isBroken(error);
      throw asCccError(error);
    } finally {
      client?.release(broken);
    }
  }
}

const getTypeParser: typeof types.getTypeParser = ((oid: number, format?: 'text' | 'binary') =>
  oid === INT8 ? Number : types.getTypeParser(oid, format)) as typeof types.getTypeParser;

/** Whether a connection may be in any state after this: all but an answer of the database, or a rule that was broken. */
function isBroken(error: unknown): boolean {
  if (error instanceof CccError) return false;
  return (
    !(error instanceof DatabaseError) || error.code === READ_ONLY || (error.code?.startsWith('57') ?? false)
  );
}

/**
 * What a store promises to throw: its own `CccError`s as they are; trouble of the database or on the way to it as
 * storage_failed, anything else as internal_error, with the real error as `cause` (for the log, never for a client).
 */
function asCccError(error: unknown): CccError {
  if (error instanceof CccError) return error;
  const isOurFault =
    error instanceof TypeError || error instanceof RangeError || error instanceof SyntaxError;
  return new CccError(isOurFault ? 'internal_error' : 'storage_failed', undefined, { cause: error });
}
