import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Database } from 'better-sqlite3';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { MemoryDAL } from '../../src/store/memory-dal.ts';
import { openReaderConnection, openWriterConnection } from '../../src/store/sqlite/connection.ts';
import { openSqliteStore } from '../../src/store/sqlite/open-sqlite-store.ts';
import { readTurnEntries } from '../../src/store/sqlite/turn-blocks.ts';
import { TurnEntriesCache } from '../../src/store/sqlite/turn-entries-cache.ts';
import { newSession, newTurn, NOON, temporaryFolder } from './implementations.ts';

const MINUTE = 60_000;

describe('the turn entries that a reading connection keeps', () => {
  let folder: string;
  let dal: MemoryDAL;
  let reader: Database;
  let minute = 0;
  beforeEach(async () => {
    folder = temporaryFolder();
    minute = 0;
    const file = join(folder, 'record.db');
    dal = await openSqliteStore({ file, threads: false });
    reader = openReaderConnection(file, null);
  });
  afterEach(async () => {
    reader.close();
    await dal.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const keyOf = (sessionId: string) =>
    reader.prepare('SELECT session_key FROM sessions WHERE session_id = ?').pluck().get(sessionId) as number;
  const turnsOf = (count: number, speaker: string | null) =>
    Array.from({ length: count }, () =>
      newTurn('a word or two', { speaker, timestamp: NOON + (minute += 1) * MINUTE }),
    );
  const begin = async (sessionId: string, count: number, speaker: string | null = null) => {
    const turns = turnsOf(count, speaker);
    const conversationId = `conv_${String(minute)}_${sessionId}`;
    const now = NOON + minute * MINUTE;
    await dal.conversations.create({ sessionId, conversationId, directive: 'Hm?', turns, jobs: [], now });
    return conversationId;
  };
  const append = async (sessionId: string, conversationId: string, count: number) => {
    const turns = turnsOf(count, null);
    await dal.turns.append({ sessionId, conversationId, turns, jobs: [], now: NOON + minute * MINUTE });
  };
  /** What retention does with turns of so many minutes ago. */
  const forget = async (sessionId: string, before: number) => {
    const old = await dal.retention.expiredTurns({ sessionId, before, limit: 1_000, characters: 100_000 });
    for (const { conversationId, turnNumber } of old) {
      const terms = ['a', 'word', 'or', 'two'];
      await dal.retention.removeTurn({ sessionId, conversationId, turnNumber, before, terms });
    }
    await dal.retention.removeLeftovers(sessionId, await dal.retention.leftovers(sessionId, before, 100));
    return old.length;
  };

  it('are those in the record after whatever has happened to a session', async () => {
    const step = fc.record({
      what: fc.constantFrom('begin', 'append to the last', 'append to any', 'forget', 'ask'),
      session: fc.nat(1),
      size: fc.constantFrom(1, 2, 63, 64, 65),
      which: fc.nat(99),
      speaker: fc.constantFrom(null, 'Ana', 'Bo', 'Ruth'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), async (steps) => {
        const cache = new TurnEntriesCache(reader);
        const sessions = [await newSession(dal), await newSession(dal)];
        const conversations: string[][] = [[], []];
        for (const { what, session, size, which, speaker } of steps) {
          const sessionId = sessions[session] ?? '';
          const begun = conversations[session] ?? [];
          const any = begun[which % Math.max(1, begun.length)];
          const last = begun.at(-1);
          if (what === 'begin') begun.push(await begin(sessionId, size, speaker));
          else if (what === 'forget') {
            await forget(sessionId, NOON + Math.floor((minute * which) / 99) * MINUTE);
            const left = await dal.conversations.list({ sessionId, limit: 100, cursor: null });
            const ids = new Set(left.items.map(({ conversationId }) => conversationId));
            begun.splice(0, begun.length, ...begun.filter((id) => ids.has(id)));
          } else if (what === 'append to any' && any !== undefined) await append(sessionId, any, size);
          else if (what === 'append to the last' && last !== undefined) await append(sessionId, last, size);
          const key = keyOf(sessionId);
          expect(cache.read(key)).toEqual(readTurnEntries(reader, key));
        }
      }),
      { numRuns: 40 },
    );
  });

  it('of a session that has not changed are not read again, and what has changed is', async () => {
    const sessionId = await newSession(dal);
    await begin(sessionId, 3);
    const read: string[] = [];
    const counting = new Proxy(reader, {
      get: (target, name) => {
        const value = Reflect.get(target, name) as unknown;
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => {
          if (name === 'prepare') read.push(String(args[0]));
          return (value as (...args: unknown[]) => unknown).apply(target, args);
        };
      },
    });
    const cache = new TurnEntriesCache(counting);
    const first = cache.read(keyOf(sessionId));
    expect(first.minutes).toHaveLength(3);
    expect(read.join()).toContain('turn_index_blocks');
    // Statements are prepared once: one over the blocks of a part is prepared when it is first needed.
    read.length = 0;
    expect(cache.read(keyOf(sessionId)).minutes[0]).toBe(NOON / MINUTE + 1);
    expect(read).toEqual([]);
    await begin(sessionId, 1);
    expect(cache.read(keyOf(sessionId)).minutes).toHaveLength(4);
    expect(read.join()).toContain('version > ?');
  });

  it('of more turns than there is room for make way, those asked for longest ago first', async () => {
    const cache = new TurnEntriesCache(reader, 100);
    const keys: number[] = [];
    for (const size of [60, 30, 50, 200]) {
      const sessionId = await newSession(dal);
      await begin(sessionId, size);
      keys.push(keyOf(sessionId));
      for (const key of keys) expect(cache.read(key)).toEqual(readTurnEntries(reader, key));
      expect(cache.turns).toBeLessThanOrEqual(100);
    }
  });

  it('of a session from before versions were counted are read each time, until something is said', async () => {
    const sessionId = await newSession(dal);
    const conversationId = await begin(sessionId, 2);
    const key = keyOf(sessionId);
    const writer = openWriterConnection(join(folder, 'record.db'));
    writer.prepare('DELETE FROM turn_index_versions').run();
    const cache = new TurnEntriesCache(reader);
    expect(cache.read(key).minutes).toHaveLength(2);
    expect(cache.turns).toBe(0);
    writer.close();
    await append(sessionId, conversationId, 1);
    expect(cache.read(key).minutes).toHaveLength(3);
    expect(cache.turns).toBe(3);
  });
});
