import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../src/base/ids.ts';
import type { MemoryDAL } from '../../src/store/memory-dal.ts';
import { IMPLEMENTATIONS, newConversation, newJob, newSession, newTurn, NOON } from './implementations.ts';

describe.each(IMPLEMENTATIONS)('the record: $name', ({ prepare, nul, alreadyThere }) => {
  const record = prepare();
  let dal: MemoryDAL;
  beforeAll(async () => {
    dal = await record.open();
  });
  afterAll(() => record.remove());

  const append = (sessionId: string, conversationId: string, ...contents: string[]) =>
    dal.turns.append({
      sessionId,
      conversationId,
      turns: contents.map((content) => newTurn(content)),
      jobs: [],
      now: NOON + 1000,
    });

  describe('sessions', () => {
    it('gives back what was stored, by id and by the hash of the token', async () => {
      const sessionId = newId('sess');
      const created = await dal.sessions.create({
        sessionId,
        tokenHash: 'abc',
        userPreferences: { language: 'fr', nested: { deep: [1, null, 'é'] } },
        initialContext: { project: 'x' },
        now: NOON,
      });
      expect(created).toEqual({
        sessionId,
        createdAt: NOON,
        lastActive: NOON,
        status: 'active',
        userPreferences: { language: 'fr', nested: { deep: [1, null, 'é'] } },
        initialContext: { project: 'x' },
        conversationCount: 0,
        totalTurns: 0,
      });
      expect(await dal.sessions.get(sessionId)).toEqual(created);
      expect(await dal.sessions.findByTokenHash('abc')).toEqual(created);
      expect(await dal.sessions.findByTokenHash('abd')).toBeNull();
      expect(await dal.sessions.get('sess_unknown')).toBeNull();
    });

    it('refuses an id that is taken, and leaves the session as it was', async () => {
      const sessionId = await newSession(dal);
      await expect(
        dal.sessions.create({
          sessionId,
          tokenHash: 'other',
          userPreferences: { a: 1 },
          initialContext: null,
          now: 1,
        }),
      ).rejects.toMatchObject({ code: 'session_exists', name: 'CccError' });
      expect((await dal.sessions.get(sessionId))?.userPreferences).toEqual({});
      expect(await dal.sessions.findByTokenHash('other')).toBeNull();
    });

    it('lists them by last activity, newest first, page by page, each once', async () => {
      const mine: string[] = [];
      for (let i = 0; i < 7; i++)
        mine.push(await newSession(dal, { now: NOON + 1_000_000 + Math.floor(i / 2) }));
      const seen: string[] = [];
      let cursor: string | null = null;
      do {
        const page: Awaited<ReturnType<MemoryDAL['sessions']['list']>> = await dal.sessions.list({
          limit: 2,
          cursor,
        });
        expect(page.items.length).toBeGreaterThan(0);
        seen.push(...page.items.map((session) => session.sessionId));
        cursor = page.nextCursor;
      } while (cursor !== null);
      expect(new Set(seen).size).toBe(seen.length);
      expect(seen.slice(0, 7).sort()).toEqual([...mine].sort());
      expect(seen.length).toBe((await dal.maintenance.counts()).sessions);
    });

    it('finds them by a part of their name or id, page by page', async () => {
      const named = async (name: string) => {
        const sessionId = await newSession(dal);
        await dal.sessions.setPreferences(sessionId, { name }, NOON);
        return sessionId;
      };
      const [first, second] = [await named('Kitchen garden'), await named('The KITCHEN')];
      await named('Cellar 100 %');
      const page = await dal.sessions.list({ limit: 1, cursor: null, name: 'kitchen' });
      const rest = await dal.sessions.list({ limit: 1, cursor: page.nextCursor, name: 'kitchen' });
      expect([...page.items, ...rest.items].map(({ sessionId }) => sessionId).sort()).toEqual(
        [first, second].sort(),
      );
      expect(rest.nextCursor).toBeNull();
      const byId = await dal.sessions.list({ limit: 9, cursor: null, name: first.slice(-8) });
      expect(byId.items.map(({ sessionId }) => sessionId)).toEqual([first]);
      // Signs that mean something to a search language mean themselves here.
      expect((await dal.sessions.list({ limit: 9, cursor: null, name: '%' })).items).toHaveLength(1);
    });

    it('refuses a cursor that is not its own', async () => {
      await expect(dal.sessions.list({ limit: 2, cursor: 'nonsense' })).rejects.toMatchObject({
        code: 'invalid_request',
        param: 'cursor',
      });
    });

    it('replaces preferences; says null for a session that is not there', async () => {
      const sessionId = await newSession(dal);
      const changed = await dal.sessions.setPreferences(sessionId, { tone: 'dry' }, NOON + 5);
      expect(changed).toMatchObject({ userPreferences: { tone: 'dry' }, lastActive: NOON + 5 });
      expect(await dal.sessions.setPreferences('sess_unknown', {}, NOON)).toBeNull();
      expect(await dal.sessions.setStatus('sess_unknown', 'archived', NOON)).toBeNull();
      expect(await dal.sessions.erase('sess_unknown')).toBe(false);
    });

    it('takes no new turns and conversations when archived, and takes them again when reopened', async () => {
      const sessionId = await newSession(dal);
      const conversationId = await newConversation(dal, sessionId);
      await append(sessionId, conversationId, 'before');
      expect(await dal.sessions.setStatus(sessionId, 'archived', NOON)).toMatchObject({ status: 'archived' });
      await expect(append(sessionId, conversationId, 'after')).rejects.toMatchObject({
        code: 'session_archived',
      });
      await expect(newConversation(dal, sessionId)).rejects.toMatchObject({ code: 'session_archived' });
      const stored = await dal.turns.list({ sessionId, conversationId, fromNumber: 1, limit: 10 });
      expect(stored.map((turn) => turn.content)).toEqual(['before']);
      await dal.sessions.setStatus(sessionId, 'active', NOON);
      expect((await append(sessionId, conversationId, 'after')).turns[0]?.turnNumber).toBe(2);
      const listed = await dal.sessions.list({ limit: 100, cursor: null, status: 'archived' });
      expect(listed.items.every((session) => session.status === 'archived')).toBe(true);
    });
  });

  describe('conversations and turns', () => {
    it('numbers conversations in their session and turns in their conversation', async () => {
      const sessionId = await newSession(dal);
      const ids: string[] = [];
      for (let i = 0; i < 3; i++)
        ids.push(await newConversation(dal, sessionId, [newTurn('one'), newTurn('two')]));
      const listed = await dal.conversations.list({ sessionId, limit: 2, cursor: null });
      expect(listed.items.map((c) => [c.conversationId, c.ordinal, c.turnCount])).toEqual([
        [ids[2], 3, 2],
        [ids[1], 2, 2],
      ]);
      const rest = await dal.conversations.list({ sessionId, limit: 2, cursor: listed.nextCursor });
      expect(rest).toMatchObject({ items: [{ conversationId: ids[0], ordinal: 1 }], nextCursor: null });
      expect(await dal.sessions.get(sessionId)).toMatchObject({ conversationCount: 3, totalTurns: 6 });
    });

    it('keeps every field of a turn', async () => {
      const sessionId = await newSession(dal);
      const conversationId = await newConversation(dal, sessionId);
      const { terms: _terms, ...turn } = newTurn('Zürich\u0000\n"quoted" 🌍', {
        agent: 'beatrice',
        kind: 'verdict',
        speaker: 'Ana',
        timestamp: Date.UTC(1999, 0, 1),
        cycleId: 'cyc_1',
        metadata: { model: 'm', usage: { total: 3 } },
      });
      const { turns } = await dal.turns.append({
        sessionId,
        conversationId,
        turns: [{ ...turn, terms: { terms: [], length: 0 } }],
        jobs: [],
        now: NOON + 7,
      });
      const content = turn.content.replace('\0', nul);
      const expected = { sessionId, conversationId, turnNumber: 1, storedAt: NOON + 7, ...turn, content };
      expect(turns).toEqual([expected]);
      expect(await dal.turns.get(sessionId, turn.turnId)).toEqual(expected);
      expect(await dal.conversations.get(conversationId)).toMatchObject({
        turnCount: 1,
        lastActive: NOON + 7,
      });
      expect(await dal.sessions.get(sessionId)).toMatchObject({ lastActive: NOON + 7 });
    });

    it('reads from a number on, the newest ones, and by position', async () => {
      const sessionId = await newSession(dal);
      const first = await newConversation(dal, sessionId);
      const second = await newConversation(dal, sessionId);
      await append(sessionId, first, ...Array.from({ length: 10 }, (_, i) => `first ${i + 1}`));
      await append(sessionId, second, 'second 1');
      const numbers = (turns: { turnNumber: number }[]) => turns.map((turn) => turn.turnNumber);
      const input = { sessionId, conversationId: first };
      expect(numbers(await dal.turns.list({ ...input, fromNumber: 4, limit: 3 }))).toEqual([4, 5, 6]);
      expect(numbers(await dal.turns.recent({ ...input, limit: 3 }))).toEqual([8, 9, 10]);
      const named = await dal.turns.byPosition(sessionId, [
        { conversationOrdinal: 2, turnNumber: 1 },
        { conversationOrdinal: 1, turnNumber: 7 },
        { conversationOrdinal: 1, turnNumber: 11 },
        { conversationOrdinal: 9, turnNumber: 1 },
      ]);
      expect(named.map((turn) => turn?.content)).toEqual(['second 1', 'first 7', undefined, undefined]);
    });

    it('a hundred concurrent writers on one conversation leave turns 1 to 100, no gap, no repeat, no error', async () => {
      const sessionId = await newSession(dal);
      const conversationId = await newConversation(dal, sessionId);
      const answers = await Promise.all(
        Array.from({ length: 100 }, (_, i) => append(sessionId, conversationId, `turn by writer ${i}`)),
      );
      const upTo100 = Array.from({ length: 100 }, (_, i) => i + 1);
      const byNumber = (a: number, b: number) => a - b;
      expect(answers.map(({ turns }) => turns[0]?.turnNumber ?? 0).sort(byNumber)).toEqual(upTo100);
      const stored = await dal.turns.list({ sessionId, conversationId, fromNumber: 1, limit: 1000 });
      expect(stored.map((turn) => turn.turnNumber)).toEqual(upTo100);
      expect(new Set(stored.map((turn) => turn.content)).size).toBe(100);
      for (const { turns } of answers) expect(stored).toContainEqual(turns[0]);
      expect(await dal.sessions.get(sessionId)).toMatchObject({ totalTurns: 100 });
    });

    it('a write that fails among others takes nothing with it and leaves no number out', async () => {
      const sessionId = await newSession(dal);
      const conversationId = await newConversation(dal, sessionId);
      const twice = newTurn('the same id twice');
      const results = await Promise.allSettled(
        Array.from({ length: 30 }, (_, i) => {
          if (i % 3 === 0) return append(sessionId, conversationId, `good ${i}`);
          if (i % 3 === 1) return append(sessionId, 'conv_unknown', 'nowhere');
          // A good turn before the bad one: it must not stay.
          return dal.turns.append({
            sessionId,
            conversationId,
            turns: [newTurn('left over?'), twice, twice],
            jobs: [newJob({ dedupeKey: 'left over?' })],
            now: NOON,
          });
        }),
      );
      expect(results.map((result) => result.status)).toEqual(
        results.map((_, i) => (i % 3 === 0 ? 'fulfilled' : 'rejected')),
      );
      const codes = results.flatMap((r) =>
        r.status === 'rejected' ? [(r.reason as { code: string }).code] : [],
      );
      expect(new Set(codes)).toEqual(new Set(['conversation_not_found', 'storage_failed']));
      const stored = await dal.turns.list({ sessionId, conversationId, fromNumber: 1, limit: 100 });
      expect(stored.map((turn) => turn.turnNumber)).toEqual(Array.from({ length: 10 }, (_, i) => i + 1));
      expect(await dal.jobs.counts()).toEqual([]);
    });

    it('keeps the real cause of a failure of the engine for the log, and out of the message', async () => {
      const sessionId = await newSession(dal);
      const turn = newTurn('twice');
      const conversationId = await newConversation(dal, sessionId, [turn]);
      const failure = await dal.turns
        .append({ sessionId, conversationId, turns: [turn], jobs: [], now: NOON })
        .catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: 'storage_failed', cause: { code: alreadyThere } });
      expect((failure as Error).message).not.toMatch(/unique/i);
    });

    it('names what is missing', async () => {
      const sessionId = await newSession(dal);
      await expect(append('sess_unknown', 'conv_unknown', 'x')).rejects.toMatchObject({
        code: 'session_not_found',
      });
      await expect(append(sessionId, 'conv_unknown', 'x')).rejects.toMatchObject({
        code: 'conversation_not_found',
      });
      await expect(newConversation(dal, 'sess_unknown')).rejects.toMatchObject({ code: 'session_not_found' });
      expect(await dal.conversations.get('conv_unknown')).toBeNull();
      const conversationId = await newConversation(dal, sessionId);
      const another = await newConversation(dal, await newSession(dal));
      const asked = [conversationId, 'conv_unknown', another];
      const found = await dal.conversations.getMany(sessionId, asked);
      expect(found).toEqual([await dal.conversations.get(conversationId)]);
      expect(await dal.turns.get(sessionId, 'turn_unknown')).toBeNull();
    });
  });

  describe('idempotency keys', () => {
    it('the same key with the same request gives the same turns again and stores nothing', async () => {
      const sessionId = await newSession(dal);
      const conversationId = await newConversation(dal, sessionId, [newTurn('before')]);
      const send = (content: string, requestHash: string) =>
        dal.turns.append({
          sessionId,
          conversationId,
          turns: [newTurn(content), newTurn(`${content} again`)],
          jobs: [],
          idempotency: { key: 'k1', requestHash },
          now: NOON,
        });
      const first = await send('hello', 'h1');
      expect(first.replayed).toBe(false);
      await append(sessionId, conversationId, 'between');
      expect(await send('hello', 'h1')).toEqual({ turns: first.turns, replayed: true });
      await expect(send('other', 'h2')).rejects.toMatchObject({ code: 'idempotency_conflict' });
      expect(await dal.conversations.get(conversationId)).toMatchObject({ turnCount: 4 });
    });

    it('of ten requests with one key at once, one is stored and all hear the same', async () => {
      const sessionId = await newSession(dal);
      const conversationId = await newConversation(dal, sessionId);
      const answers = await Promise.all(
        Array.from({ length: 10 }, () =>
          dal.turns.append({
            sessionId,
            conversationId,
            turns: [newTurn('once')],
            jobs: [],
            idempotency: { key: 'k', requestHash: 'h' },
            now: NOON,
          }),
        ),
      );
      expect(new Set(answers.map(({ turns }) => turns[0]?.turnId)).size).toBe(1);
      expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
      expect(await dal.conversations.get(conversationId)).toMatchObject({ turnCount: 1 });
    });

    it('the same key in two sessions stands for two requests', async () => {
      for (const sessionId of [await newSession(dal), await newSession(dal)]) {
        const conversationId = await newConversation(dal, sessionId);
        const { replayed } = await dal.turns.append({
          sessionId,
          conversationId,
          turns: [newTurn('x')],
          jobs: [],
          idempotency: { key: 'shared', requestHash: 'h' },
          now: NOON,
        });
        expect(replayed).toBe(false);
      }
    });
  });

  describe('isolation of sessions', () => {
    it('nothing of one session can be reached or written through another', async () => {
      const ana = await newSession(dal);
      const ben = await newSession(dal);
      const secret = newTurn('Ana is allergic to peanuts');
      const conversationId = await newConversation(dal, ana, [secret]);
      await dal.agents.put({
        sessionId: ana,
        agent: 'codey',
        expectedVersion: 0,
        state: { a: 1 },
        now: NOON,
      });
      await expect(append(ben, conversationId, 'intruder')).rejects.toMatchObject({
        code: 'conversation_not_found',
      });
      expect(await dal.turns.get(ben, secret.turnId)).toBeNull();
      expect(await dal.turns.list({ sessionId: ben, conversationId, fromNumber: 1, limit: 9 })).toEqual([]);
      expect(await dal.turns.recent({ sessionId: ben, conversationId, limit: 9 })).toEqual([]);
      expect(await dal.turns.byPosition(ben, [{ conversationOrdinal: 1, turnNumber: 1 }])).toEqual([null]);
      expect((await dal.conversations.list({ sessionId: ben, limit: 9, cursor: null })).items).toEqual([]);
      expect(await dal.agents.list(ben)).toEqual([]);
      await expect(
        dal.summaries.add({
          sessionId: ben,
          conversationId,
          text: 'x',
          coversThrough: 1,
          firstTurnId: null,
          lastTurnId: null,
          author: 'rule',
          createdAt: NOON,
          basedOnVersion: 0,
        }),
      ).rejects.toMatchObject({ code: 'conversation_not_found' });
    });
  });

  it('is sound after all this, and answers a ping', async () => {
    await dal.maintenance.ping(false);
    await dal.maintenance.ping(true);
    expect(await dal.maintenance.check()).toEqual([]);
  });
});
