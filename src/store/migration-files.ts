import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CccError } from '../base/ccc-error.ts';

export interface Migration {
  version: number;
  name: string;
  sql: string;
  sha256: string;
}

/** What a database remembers of a migration that it has had. */
export type AppliedMigration = Pick<Migration, 'version' | 'name' | 'sha256'>;

/** The project's `database/<engine>` folder: the nearest one above this file, from `src/` and from `dist/src/`. */
export function migrationFolder(engine: string): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  for (;;) {
    if (existsSync(join(folder, 'package.json')) && existsSync(join(folder, 'database', engine))) {
      return join(folder, 'database', engine);
    }
    const parent = dirname(folder);
    if (parent === folder) throw new CccError('storage_failed', 'The folder database/ is missing.');
    folder = parent;
  }
}

/** Reads `NNNN-name.sql` files in order of their number. @throws Error on two files with one number */
export function readMigrations(folder: string): Migration[] {
  const found = new Map<number, Migration>();
  for (const file of readdirSync(folder).sort()) {
    const match = /^(\d{4})-([a-z0-9-]+)\.sql$/.exec(file);
    if (!match) continue;
    const version = Number(match[1]);
    if (found.has(version))
      throw new CccError('storage_failed', `Two migrations have the number ${version}.`);
    // A checkout that changes line ends must not look like a changed migration.
    const sql = readFileSync(join(folder, file), 'utf8').replaceAll('\r\n', '\n');
    const sha256 = createHash('sha256').update(sql).digest('hex');
    found.set(version, { version, name: match[2] ?? '', sql, sha256 });
  }
  return [...found.values()];
}

/**
 * @throws CccError storage_failed when the database is newer than the code, or when a migration that was applied has
 *   been edited since
 */
export function verifyApplied(migrations: Migration[], applied: AppliedMigration[]): void {
  const byVersion = new Map(migrations.map((migration) => [migration.version, migration]));
  const newest = Math.max(0, ...byVersion.keys());
  for (const row of applied) {
    const migration = byVersion.get(row.version);
    if (row.version > newest || !migration) {
      throw new CccError(
        'storage_failed',
        `The database has schema version ${row.version}, which this version of CCC does not know: it was written by a newer one.`,
      );
    }
    if (migration.sha256 !== row.sha256) {
      throw new CccError(
        'storage_failed',
        `Migration ${row.version} (${row.name}) is not the one that was applied to this database.`,
      );
    }
  }
}
