import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Database } from 'better-sqlite3';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { MemoryDAL } from '../../src/store/memory-dal.ts';
import type { IndexLookup } from '../../src/store/turn-index.ts';
import { openReaderConnection, openWriterConnection } from '../../src/store/sqlite/connection.ts';
import { openSqliteStore } from '../../src/store/sqlite/open-sqlite-store.ts';
import { readTurnEntries } from '../../src/store/sqlite/turn-blocks.ts';
import { turnIndexModule } from '../../src/store/sqlite/turn-index.ts';
import { takeOverTerms } from '../../src/store/sqlite/turn-terms.ts';
import { IndexCache } from '../../src/store/sqlite/index-cache.ts';
import { newSession, newTurn, NOON, temporaryFolder } from './implementations.ts';

const MINUTE = 60_000;

/** Words of a turn: some in each, some in a few. */
const contentOf = (minute: number) =>
  `said w${String(minute % 7)} v${String(minute % 11)} x${String(minute % 50)}`;
const WORDS = ['said', 'w0', 'w3', 'v10', 'x1', 'x49', 'never'];

describe('the index of sessions that a reading connection keeps', () => {
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
    Array.from({ length: count }, () => {
      minute += 1;
      return newTurn(contentOf(minute), { speaker, timestamp: NOON + minute * MINUTE });
    });
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
    for (const { conversationId, turnNumber, content } of old) {
      const terms = content.split(' ');
      // A long turn is removed in portions: some of its terms first.
      await dal.retention.removeTerms({ sessionId, conversationId, turnNumber, terms: terms.slice(0, 2) });
      await dal.retention.removeTurn({ sessionId, conversationId, turnNumber, before, terms });
    }
    await dal.retention.removeLeftovers(sessionId, await dal.retention.leftovers(sessionId, before, 100));
  };
  const takeOver = (sessionId: string) => {
    const writer = openWriterConnection(join(folder, 'record.db'));
    writer.transaction(() => takeOverTerms(writer, keyOf(sessionId)))();
    writer.close();
  };
  const waiting = (sessionId: string) =>
    reader
      .prepare('SELECT count(*) FROM recent_turn_terms WHERE session_key = ?')
      .pluck()
      .get(keyOf(sessionId)) as number;

  /** What a look-up has to find, from the turns themselves. */
  const expected = (sessionId: string): IndexLookup => {
    const turns = readTurnEntries(reader, keyOf(sessionId));
    const rows = reader
      .prepare(
        `SELECT c.ordinal, t.turn_number, t.content FROM turns t JOIN conversations c USING (session_id, conversation_id)
          WHERE session_id = ? ORDER BY c.ordinal, t.turn_number`,
      )
      .raw()
      .all(sessionId) as [number, number, string][];
    const terms = WORDS.flatMap((term) => {
      const found = rows.flatMap(([ordinal, number, content]) => {
        const count = content.split(' ').filter((word) => word === term).length;
        const start = turns.starts[turns.conversations.indexOf(ordinal)] ?? NaN;
        return count === 0 ? [] : [{ place: start + number - 1, count }];
      });
      if (found.length === 0) return [];
      const places = Int32Array.from(found, ({ place }) => place);
      return [{ term, places, counts: Int32Array.from(found, ({ count }) => count) }];
    });
    return { ...turns, terms };
  };

  it('is that of the turns in the record after whatever has happened to a session', async () => {
    const step = fc.record({
      what: fc.constantFrom('begin', 'append to the last', 'append to any', 'forget', 'take over', 'ask'),
      session: fc.nat(1),
      size: fc.constantFrom(1, 2, 63, 64, 65),
      which: fc.nat(99),
      speaker: fc.constantFrom(null, 'Ana', 'Bo', 'Ruth'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), async (steps) => {
        const { lookup } = turnIndexModule.create(reader);
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
          else if (what === 'take over') takeOver(sessionId);
          expect(lookup(sessionId, WORDS)).toEqual(expected(sessionId));
        }
      }),
      { numRuns: 40 },
    );
  });

  it('holds the terms of what was said last, which are taken over when there are thousands', async () => {
    const { lookup } = turnIndexModule.create(reader);
    const sessionId = await newSession(dal);
    const conversationId = await begin(sessionId, 10);
    expect(waiting(sessionId)).toBe(10);
    expect(lookup(sessionId, WORDS)).toEqual(expected(sessionId));
    // 4 terms each: 2,000 are reached with the five hundredth.
    await append(sessionId, conversationId, 489);
    expect(waiting(sessionId)).toBe(499);
    expect(lookup(sessionId, WORDS)).toEqual(expected(sessionId));
    await append(sessionId, conversationId, 2);
    expect(waiting(sessionId)).toBe(1);
    expect(lookup(sessionId, WORDS)).toEqual(expected(sessionId));
  });

  it('has a turn of very many terms at once', async () => {
    const { lookup } = turnIndexModule.create(reader);
    const sessionId = await newSession(dal);
    const content = `said ${Array.from({ length: 600 }, (_, at) => `y${String(at)}`).join(' ')}`;
    const turns = [newTurn(content)];
    await dal.conversations.create({
      sessionId,
      conversationId: 'long',
      directive: '',
      turns,
      jobs: [],
      now: NOON,
    });
    expect(waiting(sessionId)).toBe(0);
    expect(lookup(sessionId, ['y599', 'said']).terms.map(({ term }) => term)).toEqual(['y599', 'said']);
  });

  it('of a session that has not changed is not read again, and what has changed is', async () => {
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
    const cache = new IndexCache(counting);
    expect(cache.read(keyOf(sessionId)).turns.minutes).toHaveLength(3);
    expect(read.join()).toContain('turn_index_blocks');
    // Statements are prepared once: one over the blocks of a part is prepared when it is first needed.
    read.length = 0;
    expect(cache.read(keyOf(sessionId)).turns.minutes[0]).toBe(NOON / MINUTE + 1);
    expect(read).toEqual([]);
    await begin(sessionId, 1);
    expect(cache.read(keyOf(sessionId)).turns.minutes).toHaveLength(4);
    expect(read.join()).toContain('version > ?');
  });

  it('of more than there is room for makes way, that asked for longest ago first', async () => {
    const cache = new IndexCache(reader, 5_000);
    const keys: number[] = [];
    // A turn weighs one, and each of its four terms eight.
    for (const size of [60, 30, 50, 200]) {
      const sessionId = await newSession(dal);
      await begin(sessionId, size);
      keys.push(keyOf(sessionId));
      for (const key of keys) expect(cache.read(key).turns).toEqual(readTurnEntries(reader, key));
      expect(cache.weight).toBeLessThanOrEqual(5_000);
    }
    expect(cache.weight).toBeGreaterThan(0);
  });

  it('of a session from before versions were counted is read each time, until something is said', async () => {
    const sessionId = await newSession(dal);
    const conversationId = await begin(sessionId, 2);
    const key = keyOf(sessionId);
    const writer = openWriterConnection(join(folder, 'record.db'));
    takeOverTerms(writer, key);
    writer.prepare('DELETE FROM turn_index_versions').run();
    const cache = new IndexCache(reader);
    expect(cache.read(key).turns.minutes).toHaveLength(2);
    expect(cache.weight).toBe(0);
    writer.close();
    await append(sessionId, conversationId, 1);
    expect(cache.read(key).turns.minutes).toHaveLength(3);
    expect(cache.weight).toBeGreaterThan(0);
    expect(turnIndexModule.create(reader).lookup(sessionId, WORDS)).toEqual(expected(sessionId));
  });
});
