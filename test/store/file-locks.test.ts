import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { MemoryDAL } from '../../src/store/memory-dal.ts';
import { openSqliteStore } from '../../src/store/sqlite/open-sqlite-store.ts';
import { ROOT } from '../support/server-process.ts';
import { newSession, NOON, temporaryFolder } from './implementations.ts';

/**
 * Another process tries to have the file for itself, as whoever closes a database last does before the log is deleted.
 * Were it allowed to while a server has the file open, that server's next writes would go into a deleted log.
 */
function takenByAnother(file: string): string {
  const program = `
    import SqliteDatabase from 'better-sqlite3';
    const database = new SqliteDatabase(process.argv[1], { timeout: 0 });
    try { process.stdout.write(database.pragma('journal_mode = DELETE', { simple: true })); }
    catch (error) { process.stdout.write(error.code); }
    finally { database.close(); }`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program, file], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  return stdout;
}

describe('the locks on a record that is open', () => {
  let folder: string;
  let file: string;
  let dal: MemoryDAL;
  const threads: Worker[] = [];
  const remember = (worker: Worker) => threads.push(worker);
  beforeEach(async () => {
    folder = temporaryFolder();
    file = join(folder, 'record.db');
    threads.length = 0;
    process.on('worker', remember);
    dal = await openSqliteStore({ file, threads: true });
  });
  afterEach(async () => {
    process.off('worker', remember);
    await dal.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const again = async (sessionId: string) => {
    const writes = () => dal.sessions.setPreferences(sessionId, { again: true }, NOON);
    await expect.poll(() => writes().then(Boolean, () => false)).toBe(true);
    const reads = () => dal.sessions.get(sessionId);
    await expect.poll(() => reads().then(Boolean, () => false)).toBe(true);
  };

  it('keep others from taking it for themselves', async () => {
    await newSession(dal);
    expect(takenByAnother(file)).toMatch(/^SQLITE_BUSY/);
    expect(existsSync(`${file}-wal`)).toBe(true);
    await dal.close();
    expect(takenByAnother(file)).toBe('delete');
  });

  it('are not given away when a thread dies and another takes its place', async () => {
    const sessionId = await newSession(dal);
    for (const at of [0, 1, 2]) {
      await threads[at]?.terminate();
      await again(sessionId);
      expect(takenByAnother(file)).toMatch(/^SQLITE_BUSY/);
    }
    expect(existsSync(`${file}-wal`)).toBe(true);
  });

  it('are not given away when the same process opens the record once more', async () => {
    const sessionId = await newSession(dal);
    const second = await openSqliteStore({ file, threads: false });
    expect(takenByAnother(file)).toMatch(/^SQLITE_BUSY/);
    await second.close();
    expect(takenByAnother(file)).toMatch(/^SQLITE_BUSY/);
    await again(sessionId);
    expect(await dal.maintenance.check()).toEqual([]);
  });
});
