import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readMigrations } from '../../src/store/migration-files.ts';
import { migrate } from '../../src/store/sqlite/migrations.ts';
import { openSqliteStore } from '../../src/store/sqlite/open-sqlite-store.ts';
import { temporaryFolder } from './implementations.ts';

describe('migrations', () => {
  let folder: string;
  let database: Database.Database;
  beforeEach(() => {
    folder = temporaryFolder();
    mkdirSync(join(folder, 'sql'));
    database = new Database(join(folder, 'a.db'));
  });
  afterEach(() => {
    database.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const write = (name: string, sql: string) => writeFileSync(join(folder, 'sql', name), sql);
  const run = () => migrate(database, readMigrations(join(folder, 'sql')));
  const versions = () =>
    database.prepare('SELECT version FROM schema_migrations ORDER BY version').pluck().all();

  it('are applied once, in order of their number, and go on from where they stopped', () => {
    write('0002-two.sql', 'INSERT INTO a VALUES (2);');
    write('0001-one.sql', 'CREATE TABLE a (x); INSERT INTO a VALUES (1);');
    write('notes.txt', 'not a migration');
    run();
    run();
    write('0010-ten.sql', 'INSERT INTO a VALUES (10);');
    run();
    expect(database.prepare('SELECT x FROM a').pluck().all()).toEqual([1, 2, 10]);
    expect(versions()).toEqual([1, 2, 10]);
  });

  it('one that fails leaves nothing of itself', () => {
    write('0001-one.sql', 'CREATE TABLE a (x);');
    write('0002-two.sql', 'CREATE TABLE b (x); INSERT INTO missing VALUES (1);');
    expect(run).toThrow(/missing/);
    expect(versions()).toEqual([1]);
    expect(database.prepare(`SELECT name FROM sqlite_master WHERE name = 'b'`).get()).toBeUndefined();
  });

  it('one that breaks a reference is refused', () => {
    write('0001-one.sql', 'CREATE TABLE a (x PRIMARY KEY); CREATE TABLE b (x REFERENCES a (x));');
    write('0002-two.sql', 'INSERT INTO b VALUES (7);');
    database.pragma('foreign_keys = OFF');
    expect(run).toThrow(/breaks 1 references/);
    expect(versions()).toEqual([1]);
  });

  it('refuse a database that is newer than the code, and leave it as it is', () => {
    write('0001-one.sql', 'CREATE TABLE a (x);');
    run();
    database.exec(`INSERT INTO schema_migrations VALUES (2, 'future', 'abc', 0)`);
    write('0003-three.sql', 'CREATE TABLE c (x);');
    expect(run).toThrow(/schema version 2/);
    expect(versions()).toEqual([1, 2]);
  });

  it('refuse a file that was edited after it was applied; other line ends are no edit', () => {
    write('0001-one.sql', 'CREATE TABLE a (x);\nCREATE TABLE b (x);\n');
    run();
    write('0001-one.sql', 'CREATE TABLE a (x);\r\nCREATE TABLE b (x);\r\n');
    run();
    write('0001-one.sql', 'CREATE TABLE a (x, y);\n');
    expect(run).toThrow(/not the one that was applied/);
  });

  it('refuse two files with one number', () => {
    write('0001-one.sql', 'CREATE TABLE a (x);');
    write('0001-uno.sql', 'CREATE TABLE b (x);');
    expect(run).toThrow(/number 1/);
  });

  it.each([false, true])(
    'a record from a newer version is refused when it is opened (threads: %s)',
    async (threads) => {
      const file = join(folder, 'record.db');
      await (await openSqliteStore({ file, threads })).close();
      const newer = new Database(file);
      newer.exec(`INSERT INTO schema_migrations VALUES (9999, 'future', 'abc', 0)`);
      newer.close();
      await expect(openSqliteStore({ file, threads })).rejects.toMatchObject({
        code: 'storage_failed',
        message: expect.stringContaining('9999') as string,
      });
    },
  );

  it.each([false, true])(
    'a file that is no database is refused, and not touched (threads: %s)',
    async (threads) => {
      const file = join(folder, 'letter.txt');
      writeFileSync(file, 'Dear Ana, this is no database. '.repeat(100));
      await expect(openSqliteStore({ file, threads })).rejects.toMatchObject({
        code: 'storage_failed',
        cause: { code: 'SQLITE_NOTADB' },
      });
    },
  );

  it.each([false, true])(
    'a folder that cannot be made is refused with the reason (threads: %s)',
    async (threads) => {
      writeFileSync(join(folder, 'taken'), '');
      await expect(
        openSqliteStore({ file: join(folder, 'taken', 'record.db'), threads }),
      ).rejects.toMatchObject({
        code: 'storage_failed',
        message: expect.stringMatching(/ENOTDIR|EEXIST/) as string,
      });
    },
  );
});
