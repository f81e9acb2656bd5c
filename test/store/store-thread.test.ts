import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLogger } from '../../src/base/logger.ts';
import type { MemoryDAL } from '../../src/store/memory-dal.ts';
import { transferables } from '../../src/store/sqlite/messages.ts';
import { openSqliteStore } from '../../src/store/sqlite/open-sqlite-store.ts';
import { newConversation, newSession, newTurn, NOON, temporaryFolder } from './implementations.ts';

describe('the store threads', () => {
  let folder: string;
  let dal: MemoryDAL;
  let log: string;
  const threads: Worker[] = [];
  const remember = (worker: Worker) => threads.push(worker);
  beforeEach(async () => {
    folder = temporaryFolder();
    log = '';
    threads.length = 0;
    process.on('worker', remember);
    const logger = createLogger('warn', { write: (line) => (log += line) });
    dal = await openSqliteStore({ file: join(folder, 'record.db'), threads: true, logger });
  });
  afterEach(async () => {
    process.off('worker', remember);
    await dal.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const until = async (done: () => Promise<boolean>) => {
    while (!(await done())) await new Promise((resolve) => setTimeout(resolve, 10));
  };

  it('a writer that dies rejects what it had not answered, is replaced, and nothing acknowledged is lost', async () => {
    const sessionId = await newSession(dal);
    const conversationId = await newConversation(dal, sessionId);
    const append = (content: string) =>
      dal.turns.append({ sessionId, conversationId, turns: [newTurn(content)], jobs: [], now: NOON });
    await append('before');
    const [writer] = threads;
    const pending = Array.from({ length: 50 }, (_, i) => append(`pending ${i}`));
    const results = Promise.allSettled(pending);
    await writer!.terminate();
    const settled = await results;
    for (const result of settled) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'storage_failed' });
    }
    expect(log).toContain('a store thread died');

    await until(() =>
      append('after').then(
        () => true,
        () => false,
      ),
    );
    const stored = await dal.turns.list({ sessionId, conversationId, fromNumber: 1, limit: 1000 });
    expect(stored.map((turn) => turn.turnNumber)).toEqual(stored.map((_, i) => i + 1));
    const contents = new Set(stored.map((turn) => turn.content));
    expect(contents).toContain('before');
    settled.forEach((result, i) => {
      if (result.status === 'fulfilled') expect(contents).toContain(`pending ${i}`);
    });
    expect(await dal.maintenance.check()).toEqual([]);
  });

  it('a reader that dies is replaced, and writing goes on meanwhile', async () => {
    const sessionId = await newSession(dal);
    await threads[1]!.terminate();
    await dal.sessions.setPreferences(sessionId, { a: 1 }, NOON);
    await until(() =>
      dal.sessions.get(sessionId).then(
        (session) => session?.userPreferences['a'] === 1,
        () => false,
      ),
    );
  });

  it('closing finishes what was begun and refuses what comes after', async () => {
    const sessionId = await newSession(dal);
    const conversationId = await newConversation(dal, sessionId);
    const begun = Array.from({ length: 20 }, () =>
      dal.turns.append({ sessionId, conversationId, turns: [newTurn('x')], jobs: [], now: NOON }),
    );
    const closed = Promise.all([dal.close(), dal.close()]);
    await expect(dal.sessions.get(sessionId)).rejects.toMatchObject({ code: 'storage_failed' });
    expect(await Promise.all(begun)).toHaveLength(20);
    await closed;
    const again = await openSqliteStore({ file: join(folder, 'record.db'), threads: false });
    expect(await again.conversations.get(conversationId)).toMatchObject({ turnCount: 20 });
    await again.close();
  });

  it('an argument that cannot cross fails alone', async () => {
    const sessionId = await newSession(dal);
    const bad = dal.sessions.setPreferences(sessionId, { f: (() => 1) as unknown as string }, NOON);
    const good = dal.sessions.setPreferences(sessionId, { fine: true }, NOON);
    await expect(bad).rejects.toMatchObject({ code: 'internal_error' });
    expect(await good).toMatchObject({ userPreferences: { fine: true } });
  });

  it('moves typed arrays that own their buffer, and copies parts of one', () => {
    const own = new Int32Array(4);
    const part = new Int32Array(new ArrayBuffer(64), 0, 4);
    expect([...transferables({ terms: [{ own, part, same: own }], text: 'x' })]).toEqual([own.buffer]);
  });
});
