import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { MemoryDAL } from '../../src/store/memory-dal.ts';
import { openPostgresStore } from '../../src/store/postgres/open-postgres-store.ts';
import { openSqliteStore } from '../../src/store/sqlite/open-sqlite-store.ts';
import { createTestDatabase, dropTestDatabase } from './postgres.ts';

/** Whether this part of the run has its records on PostgreSQL (see vitest.config.ts). */
export const onPostgres = process.env['CCC_TEST_RECORD'] === 'postgres';

/** The database that stands for each file. */
const databases = new Map<string, string>();

/** The record of a test: this file, or a database that stands for it, so that a test may close and open it again. */
export async function openTestRecord(file: string): Promise<MemoryDAL> {
  if (!onPostgres) return openSqliteStore({ file, threads: false });
  // A test takes its folder away when it has ended.
  for (const [known, url] of databases) {
    if (existsSync(dirname(known))) continue;
    databases.delete(known);
    await dropTestDatabase(url);
  }
  let url = databases.get(file);
  if (url === undefined) databases.set(file, (url = await createTestDatabase()));
  return openPostgresStore({ url, connections: 4 });
}
