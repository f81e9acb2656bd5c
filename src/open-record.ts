import { join } from 'node:path';
import type { Logger } from './base/logger.ts';
import { RECORD_FILE } from './config/data-folder.ts';
import type { Settings } from './config/schema.ts';
import { CONTEXT_NEARBY } from './memory/context/nearby.ts';
import type { MemoryDAL } from './store/memory-dal.ts';

/** Opens the record where the settings say: on PostgreSQL, or in a file of the data folder. @throws CccError storage_failed */
export async function openRecord(settings: Settings, logger: Logger): Promise<MemoryDAL> {
  const { CCC_DATABASE_URL: url } = settings;
  // Only the engine that is used is loaded.
  if (url !== undefined) {
    const { openPostgresStore } = await import('./store/postgres/open-postgres-store.ts');
    return openPostgresStore({
      url,
      connections: settings.CCC_DATABASE_CONNECTIONS,
      statementTimeoutMs: settings.CCC_DATABASE_TIMEOUT_MS,
      logger,
    });
  }
  const { openSqliteStore } = await import('./store/sqlite/open-sqlite-store.ts');
  return openSqliteStore({
    file: join(settings.CCC_DATA_DIR, RECORD_FILE),
    threads: true,
    key: settings.CCC_ENCRYPTION_KEY ?? null,
    nearby: CONTEXT_NEARBY,
    logger,
  });
}
