import { rmSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GroupWriter, type Outcome } from '../../src/store/sqlite/group-writer.ts';
import { temporaryFolder } from './implementations.ts';

describe('group commit', () => {
  let folder: string;
  let database: Database.Database;
  let statements: string[];
  let writer: GroupWriter;
  beforeEach(() => {
    folder = temporaryFolder();
    statements = [];
    database = new Database(join(folder, 'a.db'), { verbose: (sql) => statements.push(String(sql)) });
    database.pragma('journal_mode = WAL');
    database.exec('CREATE TABLE a (x INTEGER PRIMARY KEY, text TEXT)');
    writer = new GroupWriter(database);
  });
  afterEach(() => {
    database.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const insert = (x: number, text = '') => {
    database.prepare('INSERT INTO a VALUES (?, ?)').run(x, text);
    return x;
  };
  const submit = (run: () => unknown, durable = true) =>
    new Promise<Outcome>((settle) => {
      writer.submit({ run, settle, durable });
    });
  const stored = () => database.prepare('SELECT x FROM a ORDER BY x').pluck().all();
  const commits = () => statements.filter((sql) => sql === 'COMMIT').length;

  it('writes that wait together share one commit', async () => {
    const outcomes = await Promise.all(Array.from({ length: 20 }, (_, i) => submit(() => insert(i))));
    expect(outcomes).toEqual(outcomes.map((_, i) => ({ ok: true, value: i })));
    expect(commits()).toBe(1);
  });

  it('one that fails half way is undone alone, and is told its own error', async () => {
    const outcomes = await Promise.all([
      submit(() => insert(1)),
      submit(() => {
        insert(2);
        throw new TypeError('a fault in the code');
      }),
      submit(() => insert(1)),
      submit(() => insert(3)),
    ]);
    expect(outcomes).toMatchObject([
      { ok: true },
      { ok: false, error: { code: 'internal_error', cause: { message: 'a fault in the code' } } },
      { ok: false, error: { code: 'storage_failed', cause: { code: 'SQLITE_CONSTRAINT_PRIMARYKEY' } } },
      { ok: true },
    ]);
    expect(stored()).toEqual([1, 3]);
  });

  it('waits for the disk unless all that is written may be lost with the power', async () => {
    const waits = () => database.pragma('synchronous', { simple: true });
    await submit(() => insert(1), false);
    expect(waits()).toBe(1);
    await Promise.all([submit(() => insert(2), false), submit(() => insert(3))]);
    expect(waits()).toBe(2);
    await submit(() => insert(4), false);
    expect(waits()).toBe(1);
    expect(stored()).toEqual([1, 2, 3, 4]);
  });

  it('is settled only after the commit', async () => {
    let committedWhenSettled: number | undefined;
    await new Promise<void>((resolve) => {
      writer.submit({
        run: () => insert(1),
        settle: () => {
          committedWhenSettled ??= commits();
          resolve();
        },
        durable: true,
      });
      expect(commits()).toBe(0);
    });
    expect(committedWhenSettled).toBe(1);
  });

  it('a full disk: who is told of success is stored, who is told of failure is not, and it goes on after', async () => {
    const pages = database.pragma('page_count', { simple: true }) as number;
    database.pragma(`max_page_count = ${pages + 3}`);
    const big = 'x'.repeat(3000);
    const outcomes = await Promise.all(Array.from({ length: 12 }, (_, i) => submit(() => insert(i, big))));
    const successes = outcomes.flatMap((outcome) => (outcome.ok ? [outcome.value] : []));
    expect(successes.length).toBeLessThan(12);
    expect(stored()).toEqual(successes);
    for (const outcome of outcomes) {
      if (!outcome.ok)
        expect(outcome.error).toMatchObject({ code: 'storage_failed', cause: { code: 'SQLITE_FULL' } });
    }
    database.pragma('max_page_count = 1000000');
    expect(await submit(() => insert(100, big))).toEqual({ ok: true, value: 100 });
  });

  it('a file locked by someone else: refused with the reason, and it goes on after', async () => {
    database.pragma('busy_timeout = 50');
    const intruder = new Database(join(folder, 'a.db'));
    intruder.exec('BEGIN IMMEDIATE');
    const start = performance.now();
    const outcomes = await Promise.all([1, 2, 3, 4, 5, 6].map((x) => submit(() => insert(x))));
    // All wait together, not one after the other.
    expect(performance.now() - start).toBeLessThan(6 * 50);
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({
        ok: false,
        error: { code: 'storage_failed', cause: { code: 'SQLITE_BUSY' } },
      });
    }
    intruder.exec('ROLLBACK');
    intruder.close();
    expect(await submit(() => insert(1))).toEqual({ ok: true, value: 1 });
  });

  it('long work is spread over several commits, and all of it is done', async () => {
    const slow = (x: number) => {
      const end = performance.now() + 10;
      while (performance.now() < end);
      return insert(x);
    };
    await Promise.all(Array.from({ length: 9 }, (_, i) => submit(() => slow(i))));
    expect(stored()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(commits()).toBeGreaterThan(1);
  });
});
