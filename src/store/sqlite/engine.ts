import type { Database } from 'better-sqlite3';
import { CccError } from '../../base/ccc-error.ts';
import { openReaderConnection, openWriterConnection, prepared } from './connection.ts';
import { NEARBY } from '../nearby.ts';
import type { NearbyModule } from '../nearby-module.ts';
import { answerNearby } from './answer-nearby.ts';
import { asCccError } from './error-crossing.ts';
import { GroupWriter, type Outcome } from './group-writer.ts';
import { discardAbandonedImports } from './import-rows.ts';
import { LogCleaner } from './log-cleaner.ts';
import { migrationFolder, readMigrations } from '../migration-files.ts';
import { migrate } from './migrations.ts';
import { SQLITE_MODULES } from './modules.ts';
import type { StoreModule } from './store-module.ts';

/** Methods of each store: name of the store → name of the method → whether it writes. */
export type MethodTable = Record<string, Record<string, boolean>>;

/** One connection with the stores on it. `call` never throws; `settle` is called once. */
export interface Engine {
  readonly methods: MethodTable;
  call(store: string, method: string, args: unknown[], settle: (outcome: Outcome) => void): void;
  /** Resolves when what takes several turns of the event loop is answered. Without: nothing does. */
  answered?(): Promise<void>;
  close(): void;
}

type AnyMethods = Record<string, (...args: unknown[]) => unknown>;

/** Opens the writing connection, brings the schema up to date, and clears away what a crash left half done. */
export function openWriterEngine(file: string, key: string | null): Engine {
  const database = opening(() => openWriterConnection(file, key));
  try {
    migrate(database, readMigrations(migrationFolder('sqlite')));
    database.transaction(() => discardAbandonedImports(database)).immediate();
    const stores = createStores(database);
    const writer = new GroupWriter(database);
    const log = new LogCleaner(database);
    log.clear();
    return {
      methods: methodTable(stores),
      call: (store, method, args, settle) => {
        const run = find(stores, store, method);
        if (!run) {
          settle(unknownMethod(store, method));
          return;
        }
        const { erases, repeatable, eases } = moduleNamed(store) ?? {};
        writer.submit({
          run: () => run(...args),
          settle: (outcome) => {
            if (outcome.ok && erases?.includes(method)) log.clear();
            else if (eases?.includes(method)) log.ease();
            settle(outcome);
          },
          durable: !repeatable?.includes(method),
        });
      },
      close: () => {
        if (!database.open) return;
        writer.flush();
        log.stop();
        try {
          database.pragma('optimize');
          database.pragma('wal_checkpoint(TRUNCATE)');
        } catch {
          // A full disk or a damaged page: what is in the log stays there, and the next start reads it.
        }
        database.close();
      },
    };
  } catch (error) {
    database.close();
    throw openingError(error);
  }
}

/**
 * Opens the reading connection. Each call sees one state of the record, however many statements it makes; what is answered
 * nearby is several calls.
 */
export function openReaderEngine(
  file: string,
  key: string | null,
  module: NearbyModule | null = null,
): Engine {
  const database = opening(() => openReaderConnection(file, key));
  try {
    const stores = createStores(database);
    const methods = methodTable(stores);
    const read: Engine['call'] = (store, method, args, settle) => {
      const run = find(stores, store, method);
      settle(run ? readOnce(database, () => run(...args)) : unknownMethod(store, method));
    };
    const answers = module && answerNearby(module, methods, read);
    return {
      methods: answers ? { ...methods, [NEARBY]: answers.names } : methods,
      call: (store, method, args, settle) => {
        if (store === NEARBY && answers?.call(method, args, settle)) return;
        read(store, method, args, settle);
      },
      answered: async () => answers?.answered(),
      close: () => {
        if (database.open) database.close();
      },
    };
  } catch (error) {
    database.close();
    throw openingError(error);
  }
}

function opening<T>(open: () => T): T {
  try {
    return open();
  } catch (error) {
    throw openingError(error);
  }
}

/** Whatever goes wrong while opening (an unwritable folder, no database, a newer schema) is storage_failed. */
function openingError(error: unknown): CccError {
  if (error instanceof CccError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new CccError('storage_failed', `The record could not be opened: ${reason}`, { cause: error });
}

function readOnce(database: Database, run: () => unknown): Outcome {
  try {
    prepared(database, 'BEGIN').run();
    return { ok: true, value: run() };
  } catch (error) {
    return { ok: false, error: asCccError(error) };
  } finally {
    if (database.inTransaction) prepared(database, 'COMMIT').run();
  }
}

function createStores(database: Database): Map<string, AnyMethods> {
  return new Map(
    Object.entries(SQLITE_MODULES).map(([name, module]) => [
      name,
      (module as StoreModule<unknown>).create(database) as unknown as AnyMethods,
    ]),
  );
}

function methodTable(stores: Map<string, AnyMethods>): MethodTable {
  const table: MethodTable = {};
  for (const [name, methods] of stores) {
    const writes = new Set(moduleNamed(name)?.writes);
    table[name] = Object.fromEntries(Object.keys(methods).map((method) => [method, writes.has(method)]));
  }
  return table;
}

type Traits = Partial<Record<'writes' | 'erases' | 'repeatable' | 'eases', readonly string[]>>;

function moduleNamed(name: string): Traits | undefined {
  return (SQLITE_MODULES as Record<string, Traits>)[name];
}

function find(stores: Map<string, AnyMethods>, store: string, method: string) {
  const methods = stores.get(store);
  return methods && Object.hasOwn(methods, method) ? methods[method] : undefined;
}

/** The outcome of a call of something that is not there. */
function unknownMethod(store: string, method: string): Outcome {
  return { ok: false, error: new CccError('internal_error', `The record has no ${store}.${method}.`) };
}
