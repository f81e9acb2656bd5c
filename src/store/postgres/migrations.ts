import type { ClientBase } from 'pg';
import { CccError } from '../../base/ccc-error.ts';
import { verifyApplied, type AppliedMigration, type Migration } from '../migration-files.ts';

/** Of the advisory lock under which the schema is brought up to date: "CCC" and "mig" in ASCII, so that it is no one else's. */
const LOCK: readonly [number, number] = [0x434343, 0x6d6967];

/**
 * Brings the database to the code's schema, each migration in a transaction of its own. Servers that start at the same time
 * wait for each other.
 * @throws CccError storage_failed when the database is newer than the code, or when a migration that was applied has been
 *   edited since: in both cases nothing is touched
 */
export async function migrate(client: ClientBase, migrations: Migration[]): Promise<void> {
  await client.query('SELECT pg_advisory_lock($1, $2)', [...LOCK]);
  try {
    await client.query(
      `CREATE TABLE IF NOT EXISTS schema_migrations (
         version integer PRIMARY KEY, name text NOT NULL, sha256 text NOT NULL, applied_at bigint NOT NULL)`,
    );
    const { rows: applied } = await client.query<AppliedMigration>(
      'SELECT version, name, sha256 FROM schema_migrations ORDER BY version',
    );
    verifyApplied(migrations, applied);
    const known = new Set(applied.map(({ version }) => version));
    for (const migration of migrations) if (!known.has(migration.version)) await apply(client, migration);
  } finally {
    await client.query('SELECT pg_advisory_unlock($1, $2)', [...LOCK]);
  }
}

async function apply(client: ClientBase, { version, name, sql, sha256 }: Migration): Promise<void> {
  await client.query('BEGIN');
  try {
    await client.query(sql);
    await client.query(
      'INSERT INTO schema_migrations (version, name, sha256, applied_at) VALUES ($1, $2, $3, $4)',
      [version, name, sha256, Date.now()],
    );
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK');
    const reason = error instanceof Error ? error.message : String(error);
    throw new CccError('storage_failed', `Migration ${String(version)} (${name}) failed: ${reason}`, {
      cause: error,
    });
  }
}
