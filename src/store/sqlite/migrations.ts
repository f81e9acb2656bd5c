import type { Database } from 'better-sqlite3';
import { CccError } from '../../base/ccc-error.ts';
import { verifyApplied, type AppliedMigration, type Migration } from '../migration-files.ts';

/**
 * Brings the database to the code's schema, each migration in a transaction of its own.
 * @throws CccError storage_failed when the database is newer than the code, or when a migration that was applied
 *   has been edited since: in both cases nothing is touched
 */
export function migrate(database: Database, migrations: Migration[]): void {
  database.exec(
    `CREATE TABLE IF NOT EXISTS schema_migrations (
       version INTEGER PRIMARY KEY, name TEXT NOT NULL, sha256 TEXT NOT NULL, applied_at INTEGER NOT NULL
     ) STRICT`,
  );
  const applied = database
    .prepare('SELECT version, name, sha256 FROM schema_migrations ORDER BY version')
    .all();
  verifyApplied(migrations, applied as AppliedMigration[]);
  const isApplied = database.prepare('SELECT 1 FROM schema_migrations WHERE version = ?');
  const remember = database.prepare(
    'INSERT INTO schema_migrations (version, name, sha256, applied_at) VALUES (?, ?, ?, ?)',
  );
  for (const migration of migrations) {
    // Immediate, and looked up inside: two processes that start at once must not both apply it.
    database
      .transaction(() => {
        if (isApplied.get(migration.version)) return;
        database.exec(migration.sql);
        const broken = database.pragma('foreign_key_check') as unknown[];
        if (broken.length > 0) {
          throw new CccError(
            'storage_failed',
            `Migration ${migration.version} breaks ${broken.length} references.`,
          );
        }
        remember.run(migration.version, migration.name, migration.sha256, Date.now());
      })
      .immediate();
  }
}
