import { describe, expect, it } from 'vitest';
import type { MemoryDAL } from '../../../src/store/memory-dal.ts';
import { asking } from '../support.ts';
import { countIn, DAY, inFile, NOW, openKeeping, saidBefore, sessionKeeping } from './support.ts';
import { onPostgres } from '../../support/record.ts';

const searching = (sessionId: string, query: string) => ({
  sessionId,
  query,
  maxResults: 50,
  relevanceThreshold: 0,
  timeRange: null,
});

describe('a session that keeps its memory for some days', () => {
  it('loses what is older, and nothing else', async () => {
    const kept = await openKeeping();
    const { memory, retention, dal } = kept;
    const sessionId = await sessionKeeping(kept, 30);
    const conversationId = await saidBefore(kept, sessionId, [
      [40, 'The old lighthouse was red.'],
      [31, 'Its keeper was called Marten.', 'Ines'],
      [29, 'The new lighthouse is white.', 'Jon'],
      [0, 'Nobody keeps the lighthouse now.'],
    ]);
    expect(await retention.pass()).toBe(true);
    const turns = await memory.listTurns({ conversationId, fromNumber: 1, limit: 10 });
    expect(turns.map(({ turnNumber, content }) => [turnNumber, content])).toEqual([
      [3, 'The new lighthouse is white.'],
      [4, 'Nobody keeps the lighthouse now.'],
    ]);
    const found = await memory.searchTurns(searching(sessionId, 'What of the lighthouse keeper Marten?'));
    expect(found.map(({ turn }) => turn.turnNumber).sort()).toEqual([3, 4]);
    const { prompt } = await memory.buildContext(asking(sessionId, 'the lighthouse'));
    expect(prompt).toContain('white');
    expect(prompt).not.toMatch(/was red|Marten|Ines/);
    expect(kept.changed).toEqual([sessionId]);

    // All counts are of what is there.
    expect(await memory.getSession(sessionId)).toMatchObject({ conversationCount: 1, totalTurns: 2 });
    expect(await memory.getConversation(conversationId)).toMatchObject({
      directive: '',
      turnCount: 4,
      removedTurns: 2,
    });
    expect(await dal.maintenance.counts()).toMatchObject({ turns: 2 });
    expect(await dal.maintenance.check()).toEqual([]);
    const statistics = await memory.statistics(sessionId);
    expect(statistics.turns).toMatchObject({ total: 2, firstAt: NOW - 29 * DAY });

    // Numbers go on; nothing is given twice.
    const more = await memory.appendTurns({ conversationId, turns: [{ agent: 'codey', content: 'Noted.' }] });
    expect(more.turns[0]?.turnNumber).toBe(5);
    // A second look finds nothing to do.
    expect(await retention.pass()).toBe(true);
    expect(kept.changed).toEqual([sessionId]);
  });

  it.skipIf(onPostgres)(
    'leaves no byte of it in the file: index, names, title and log included',
    async () => {
      const kept = await openKeeping();
      const sessionId = await sessionKeeping(kept, 30);
      await saidBefore(kept, sessionId, [
        [40, 'Zanzibarium begins it all.'],
        [39, `Quixotica, ${'and on and on '.repeat(300)}.`, 'Marmaduke'],
        [0, 'Something else.'],
      ]);
      await kept.retention.pass();
      await kept.dal.close();
      const { readFileSync } = await import('node:fs');
      const bytes = readFileSync(kept.file, 'latin1').toLowerCase();
      for (const word of ['zanzibari', 'quixotica', 'marmaduke']) expect(bytes).not.toContain(word);
      expect(bytes).toContain('something else');
      const stray = inFile(kept.file, (database) =>
        database
          .prepare(
            `SELECT count(*) FROM (
               SELECT session_key, conversation_ordinal, turn_number FROM turn_terms
               UNION ALL SELECT session_key, conversation_ordinal, turn_number FROM recent_turn_terms
             ) x JOIN sessions s USING (session_key) WHERE NOT EXISTS (
             SELECT 1 FROM turns t JOIN conversations c USING (session_id, conversation_id)
              WHERE t.session_id = s.session_id AND c.ordinal = x.conversation_ordinal
                AND t.turn_number = x.turn_number)`,
          )
          .pluck()
          .get(),
      );
      expect(stray).toBe(0);
    },
  );

  it('takes a time of its own or the server’s, whichever is less', async () => {
    const kept = await openKeeping({ days: 10 });
    const ids = await Promise.all([null, 5, 20].map((days) => sessionKeeping(kept, days)));
    for (const id of ids) {
      await saidBefore(kept, id, [
        [15, 'Fifteen days ago.'],
        [7, 'Seven days ago.'],
        [1, 'A day ago.'],
      ]);
    }
    await kept.retention.pass();
    const left = await Promise.all(ids.map(async (id) => (await kept.memory.getSession(id)).totalTurns));
    expect(left).toEqual([2, 1, 2]);
  });

  it('is told when its days are no number of days', async () => {
    const { memory } = await openKeeping();
    for (const days of [0, -1, 1.5, '30', 40_000]) {
      await expect(
        memory.createSession({ userPreferences: { memory_retention_days: days } }),
      ).rejects.toMatchObject({ code: 'invalid_request', param: 'user_preferences.memory_retention_days' });
    }
    await memory.createSession({ userPreferences: { memory_retention_days: null } });
  });

  it('without one keeps everything', async () => {
    const kept = await openKeeping();
    const sessionId = await sessionKeeping(kept, null);
    await saidBefore(kept, sessionId, [[5_000, 'Long ago.']]);
    await kept.retention.pass();
    expect((await kept.memory.getSession(sessionId)).totalTurns).toBe(1);
  });

  it('loses a conversation of which nothing is left, and goes on counting after it', async () => {
    const kept = await openKeeping();
    const { memory, retention, dal } = kept;
    const sessionId = await sessionKeeping(kept, 30);
    const old = await saidBefore(kept, sessionId, [
      [50, 'Old.'],
      [45, 'Older than it may be.'],
    ]);
    await saidBefore(kept, sessionId, [[1, 'New.']]);
    await retention.pass();
    await expect(memory.getConversation(old)).rejects.toMatchObject({ code: 'conversation_not_found' });
    expect(await memory.getSession(sessionId)).toMatchObject({ conversationCount: 1, totalTurns: 1 });
    const third = await saidBefore(kept, sessionId, [[0, 'Newest.']]);
    expect((await memory.getConversation(third)).ordinal).toBe(3);
    expect(await dal.maintenance.check()).toEqual([]);
    const found = await memory.searchTurns(searching(sessionId, 'newest'));
    expect(found[0]?.turn.content).toBe('Newest.');
    await memory.eraseSession(sessionId);
    expect(await dal.maintenance.counts()).toEqual({ sessions: 0, conversations: 0, turns: 0 });
  });

  it.skipIf(onPostgres)('goes on where it was stopped, and does nothing twice', async () => {
    const kept = await openKeeping();
    const sessionId = await sessionKeeping(kept, 30);
    const conversationId = await saidBefore(
      kept,
      sessionId,
      Array.from({ length: 20 }, (_, at): [number, string] => [
        60 - at,
        `Turn number ${String(at)} of many.`,
      ]),
    );
    let calls = 0;
    const failing: MemoryDAL = {
      ...kept.dal,
      retention: {
        ...kept.dal.retention,
        removeTurn: (input) =>
          ++calls > 7
            ? Promise.reject(new Error('The process ends here.'))
            : kept.dal.retention.removeTurn(input),
      },
    };
    expect(await kept.keeping(failing).pass()).toBe(false);
    expect((await kept.memory.getSession(sessionId)).totalTurns).toBe(13);
    expect(await kept.dal.maintenance.check()).toEqual([]);
    // What has to be done for what is gone was stored before it went.
    expect((await kept.dal.jobs.counts()).map(({ kind }) => kind)).toContain('summarise_session');
    expect(await kept.keeping().pass()).toBe(true);
    expect((await kept.memory.getSession(sessionId)).totalTurns).toBe(0);
    await expect(kept.memory.getConversation(conversationId)).rejects.toThrow();
    expect(countIn(kept.file, 'turn_terms')).toBe(0);
    expect(countIn(kept.file, 'recent_turn_terms')).toBe(0);
  });

  it.skipIf(onPostgres)('waits for an index that is being made anew', async () => {
    const kept = await openKeeping();
    const sessionId = await sessionKeeping(kept, 30);
    await saidBefore(kept, sessionId, [[50, 'Old.']]);
    const { default: Database } = await import('better-sqlite3');
    const database = new Database(kept.file);
    database.exec('UPDATE sessions SET analyser_version = 1');
    database.close();
    expect(await kept.retention.pass()).toBe(false);
    expect((await kept.memory.getSession(sessionId)).totalTurns).toBe(1);
  });

  it.skipIf(onPostgres)('a long turn is removed in portions, with all its entries', async () => {
    const kept = await openKeeping();
    const sessionId = await sessionKeeping(kept, 30);
    const words = Array.from({ length: 3_000 }, (_, at) => `wort${String(at)}`).join(' ');
    await saidBefore(kept, sessionId, [
      [50, words],
      [0, 'Short.'],
    ]);
    const portions: number[] = [];
    const watched: MemoryDAL = {
      ...kept.dal,
      retention: {
        ...kept.dal.retention,
        removeTerms: (input) => {
          portions.push(input.terms.length);
          return kept.dal.retention.removeTerms(input);
        },
      },
    };
    await kept.keeping(watched).pass();
    expect(portions.length).toBeGreaterThan(10);
    expect(Math.max(...portions)).toBeLessThanOrEqual(100);
    expect(countIn(kept.file, 'turn_terms')).toBe(0);
    expect(countIn(kept.file, 'recent_turn_terms')).toBe(1);
  });

  it('what is left is exported and brought in as it is, with its numbers', async () => {
    const kept = await openKeeping();
    const { memory, retention } = kept;
    const sessionId = await sessionKeeping(kept, 30);
    await saidBefore(kept, sessionId, [[60, 'Gone with its conversation.']]);
    const turns = Array.from({ length: 150 }, (_, at): [number, string] => [
      at < 70 ? 40 : 2,
      `Said ${String(at)}.`,
    ]);
    const conversationId = await saidBefore(kept, sessionId, turns);
    await retention.pass();
    const linesOf = async (from: typeof memory) => {
      const lines: string[] = [];
      for await (const line of from.exportSession(sessionId)) lines.push(line);
      return lines;
    };
    const lines = await linesOf(memory);
    const other = await openKeeping();

    await other.memory.importSession(
      (async function* () {
        yield* lines;
      })(),
    );
    expect(await linesOf(other.memory)).toEqual(lines);
    expect(await other.memory.getSession(sessionId)).toEqual(await memory.getSession(sessionId));
    expect(await other.dal.index.lookup(sessionId, ['said'])).toEqual(
      await kept.dal.index.lookup(sessionId, ['said']),
    );
    for (const each of [kept, other]) {
      const more = await each.memory.appendTurns({
        conversationId,
        turns: [{ agent: 'codey', content: 'On.' }],
      });
      expect(more.turns[0]?.turnNumber).toBe(151);
      expect(await each.dal.maintenance.check()).toEqual([]);
    }
  });
});
