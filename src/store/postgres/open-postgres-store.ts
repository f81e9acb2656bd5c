import { silentLogger, type Logger } from '../../base/logger.ts';
import { CccError } from '../../base/ccc-error.ts';
import { ERROR_CODES } from '../../base/error-codes.ts';
import type { MemoryDAL } from '../memory-dal.ts';
import { migrationFolder, readMigrations } from '../migration-files.ts';
import type { CycleLeaseStore } from '../shared-record.ts';
import { Connections } from './connections.ts';
import { cycleLeasesModule } from './cycle-leases.ts';
import { discardAbandonedImports } from './import-rows.ts';
import { migrate } from './migrations.ts';
import { postgresModules } from './modules.ts';
import { PostgresNotices } from './notices.ts';
import { Pgvector } from './pgvector.ts';
import type { PostgresModule } from './postgres-module.ts';
import { postgresRateLimits } from './rate-limits.ts';

/** Connections of a process where nothing else is said. */
const CONNECTIONS = 10;
const STATEMENT_TIMEOUT_MS = 30_000;

type AnyMethods = Record<string, (...args: unknown[]) => Promise<unknown>>;

/**
 * Opens the record on PostgreSQL, with its schema brought up to date. Any number of servers may share it.
 * @throws CccError storage_failed when the database does not answer, or has a schema that this code does not know
 */
export async function openPostgresStore(options: {
  url: string;
  connections?: number;
  statementTimeoutMs?: number;
  logger?: Logger;
}): Promise<MemoryDAL> {
  const { url, logger = silentLogger } = options;
  const connections = new Connections({
    url,
    connections: options.connections ?? CONNECTIONS,
    statementTimeoutMs: options.statementTimeoutMs ?? STATEMENT_TIMEOUT_MS,
    logger,
  });
  let pgvector: Pgvector | null;
  try {
    await connections.alone((client) => migrate(client, readMigrations(migrationFolder('postgres'))));
    await connections.write(discardAbandonedImports);
    pgvector = await Pgvector.open(connections, logger);
  } catch (error) {
    await connections.close();
    throw openingError(error);
  }
  const stores = Object.entries(postgresModules(pgvector)).map(([name, module]) => [
    name,
    facade(connections, module as unknown as PostgresModule<AnyMethods>),
  ]);
  const notices = new PostgresNotices(url, connections, logger);
  const leases = facade(connections, cycleLeasesModule as unknown as PostgresModule<AnyMethods>);
  return {
    ...(Object.fromEntries(stores) as Omit<MemoryDAL, 'close' | 'shared' | 'nearby'>),
    nearby: null,
    shared: {
      leases: leases as unknown as CycleLeaseStore,
      notices,
      rateLimits: postgresRateLimits(connections),
    },
    close: async () => {
      await notices.close();
      await connections.close();
    },
  };
}

/** Each method in a transaction as it needs one. */
function facade(connections: Connections, module: PostgresModule<AnyMethods>): AnyMethods {
  const names = Object.keys(module.create(NO_QUERIES));
  return Object.fromEntries(
    names.map((name) => {
      const way = module.writes.includes(name)
        ? 'write'
        : module.snapshots?.includes(name)
          ? 'snapshot'
          : 'read';
      return [
        name,
        (...args: unknown[]) =>
          connections[way]((db) => {
            const method = module.create(db)[name];
            if (!method) throw new CccError('internal_error', `The record has no method ${name}.`);
            return method(...args);
          }),
      ];
    }),
  );
}

/** Only for the list of methods: making a store asks nothing. */
const NO_QUERIES = new Proxy({} as never, {
  get: () => {
    throw new CccError('internal_error', 'A store was asked outside of a transaction.');
  },
});

/** The reason belongs into the message: whoever starts the server has to know what is wrong. It names no password. */
function openingError(error: unknown): CccError {
  const said = error instanceof CccError && error.cause !== undefined ? error.cause : error;
  if (error instanceof CccError && (said === error || error.message !== ERROR_CODES[error.code].meaning))
    return error;
  const reason = said instanceof Error ? said.message || (said as { code?: string }).code : String(said);
  return new CccError('storage_failed', `The record could not be opened: ${reason ?? 'no answer'}`, {
    cause: said,
  });
}
