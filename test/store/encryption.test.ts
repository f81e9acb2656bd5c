import {
  chmodSync,
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { MemoryDAL } from '../../src/store/memory-dal.ts';
import { openSqliteStore } from '../../src/store/sqlite/open-sqlite-store.ts';
import { newConversation, newSession, newTurn, temporaryFolder } from './implementations.ts';

const KEY = "an old song's seventh line; --";
const SPOKEN = 'Marigolds bloom behind the observatory';

describe('a record with a key', () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = temporaryFolder();
    file = join(folder, 'record.db');
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  const open = (key: string | null, threads = false) => openSqliteStore({ file, threads, key });
  const fill = async (dal: MemoryDAL) => {
    const sessionId = await newSession(dal);
    const turns = Array.from({ length: 40 }, (_, at) => newTurn(`${SPOKEN}, said number${String(at)}.`));
    const conversationId = await newConversation(dal, sessionId, turns);
    return { sessionId, conversationId };
  };
  const bytesOf = (path: string) => readFileSync(path).toString('latin1').toLowerCase();
  /** Every file in the folder, whatever it is called: the record, its logs, and what else was left behind. */
  const filesWith = (text: string) =>
    readdirSync(folder).filter((name) => bytesOf(join(folder, name)).includes(text.toLowerCase()));
  const hashOf = () =>
    ['', '-wal'].map((end) => (existsSync(file + end) ? readFileSync(file + end).toString('base64') : null));

  it.each([false, true])(
    'is read with it, in the same and in a later opening (threads: %s)',
    async (threads) => {
      const first = await open(KEY, threads);
      const { sessionId, conversationId } = await fill(first);
      await first.close();
      const second = await open(KEY, threads);
      const turns = await second.turns.list({ sessionId, conversationId, fromNumber: 1, limit: 3 });
      expect(turns[0]?.content).toContain(SPOKEN);
      expect(await second.maintenance.check()).toEqual([]);
      await second.close();
    },
  );

  it('has no word of what was said in any file, while it is open and after: text, index, log', async () => {
    const dal = await open(KEY);
    await fill(dal);
    expect(existsSync(`${file}-wal`) && statSync(`${file}-wal`).size > 0).toBe(true);
    expect(existsSync(`${file}-shm`)).toBe(true);
    for (const word of [SPOKEN, 'marigold', 'observatory', 'number17', 'CREATE TABLE', 'SQLite format'])
      expect(filesWith(word), word).toEqual([]);
    await dal.close();
    for (const word of [SPOKEN, 'marigold', 'number17', 'CREATE TABLE', 'SQLite format'])
      expect(filesWith(word), word).toEqual([]);
    // The search has teeth: the same record without a key is full of them.
    rmSync(file);
    const clear = await open(null);
    await fill(clear);
    for (const word of [SPOKEN, 'number17', 'CREATE TABLE']) expect(filesWith(word), word).not.toEqual([]);
    await clear.close();
  });

  it('is not opened by another key, which is told so, and not a byte changes, of an unfinished log either', async () => {
    const dal = await open(KEY);
    await fill(dal);
    // As a crash would leave it: the newest writes are in the log alone.
    const left = join(folder, 'left.db');
    for (const end of ['', '-wal']) copyFileSync(file + end, left + end);
    await dal.close();
    for (const end of ['', '-wal', '-shm']) rmSync(file + end, { force: true });
    for (const end of ['', '-wal']) copyFileSync(left + end, file + end);
    const before = hashOf();
    for (const threads of [false, true]) {
      for (const wrong of ['another passphrase altogether', null]) {
        const error: unknown = await open(wrong, threads).catch((reason: unknown) => reason);
        expect(error).toMatchObject({ code: 'storage_failed' });
        const text = JSON.stringify(error) + String((error as Error).stack);
        expect(text).toMatch(wrong === null ? /set CCC_ENCRYPTION_KEY/ : /CCC_ENCRYPTION_KEY is not the key/);
        expect(text).not.toContain(KEY);
        expect(text).not.toContain('another passphrase');
        expect(hashOf()).toEqual(before);
      }
    }
    const again = await open(KEY);
    expect((await again.maintenance.counts()).turns).toBe(40);
    await again.close();
  });

  it('is refused where the file is in clear, and the way out is named', async () => {
    const dal = await open(null);
    await fill(dal);
    await dal.close();
    const before = hashOf();
    await expect(open(KEY)).rejects.toMatchObject({
      code: 'storage_failed',
      message: expect.stringMatching(/not encrypted.*npm run rekey/) as string,
    });
    expect(hashOf()).toEqual(before);
  });

  it('tells a page that was tampered with from one that was not', async () => {
    const dal = await open(KEY);
    await fill(dal);
    await dal.close();
    const bytes = readFileSync(file);
    const at = 4096 * 3 + 100;
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    rmSync(file);
    writeFileSync(file, bytes);
    const raw = new Database(file);
    raw.pragma(`cipher = 'sqlcipher'`);
    (raw as unknown as { key(key: Buffer): void }).key(Buffer.from(KEY));
    expect(() => raw.pragma('integrity_check')).toThrow();
    raw.close();
  });
});

describe('the files of a record without a key', () => {
  it('are for their owner alone, also where the file was open to others before', async () => {
    const parent = temporaryFolder();
    const folder = join(parent, 'data');
    const file = join(folder, 'record.db');
    const modes = () => readdirSync(folder).map((name) => statSync(join(folder, name)).mode & 0o777);
    let dal = await openSqliteStore({ file, threads: false });
    await newSession(dal);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(modes()).toEqual([0o600, 0o600, 0o600]);
    await dal.close();
    chmodSync(file, 0o644);
    dal = await openSqliteStore({ file, threads: false });
    await newSession(dal);
    expect(modes()).toEqual([0o600, 0o600, 0o600]);
    await dal.close();
    rmSync(parent, { recursive: true, force: true });
  });
});
