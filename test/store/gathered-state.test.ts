import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MemoryDAL } from '../../src/store/memory-dal.ts';
import { IMPLEMENTATIONS, newConversation, newJob, newSession, newTurn, NOON } from './implementations.ts';

describe.each(IMPLEMENTATIONS)('what a session gathers: $name', ({ prepare }) => {
  const record = prepare();
  let dal: MemoryDAL;
  beforeAll(async () => {
    dal = await record.open();
  });
  afterAll(() => record.remove());

  describe('agent states', () => {
    it('concurrent learning loses nothing: who has seen an older version has to look again', async () => {
      const sessionId = await newSession(dal);
      const learn = async (lesson: string) => {
        for (;;) {
          const known = await dal.agents.get(sessionId, 'codey');
          const lessons = (known?.state['lessons'] ?? []) as string[];
          const stored = await dal.agents.put({
            sessionId,
            agent: 'codey',
            expectedVersion: known?.version ?? 0,
            state: { lessons: [...lessons, lesson] },
            now: NOON,
          });
          if (stored) return;
        }
      };
      const lessons = Array.from({ length: 25 }, (_, i) => `lesson ${i}`);
      await Promise.all(lessons.map(learn));
      const state = await dal.agents.get(sessionId, 'codey');
      expect(state?.version).toBe(25);
      expect([...(state?.state['lessons'] as string[])].sort()).toEqual([...lessons].sort());
    });

    it('refuses a stale or invented version, and a session that is not there', async () => {
      const sessionId = await newSession(dal);
      const put = (expectedVersion: number, id = sessionId) =>
        dal.agents.put({ sessionId: id, agent: 'beatrice', expectedVersion, state: {}, now: NOON });
      expect(await put(1)).toBeNull();
      expect(await put(0)).toMatchObject({ version: 1 });
      expect(await put(0)).toBeNull();
      expect(await put(1)).toMatchObject({ version: 2 });
      await expect(put(0, 'sess_unknown')).rejects.toMatchObject({ code: 'session_not_found' });
    });
  });

  describe('statistics', () => {
    it('count what a session holds, and nothing of another', async () => {
      const [sessionId, other] = [await newSession(dal), await newSession(dal)];
      await newConversation(dal, other, [newTurn('Not mine.')]);
      const day = 86_400_000;
      const conversationId = await newConversation(dal, sessionId, [
        newTurn('One.', { kind: 'directive', timestamp: NOON }),
        newTurn('Two.', { agent: 'codey', kind: 'answer', timestamp: NOON + day }),
        newTurn('Before there was Unix time.', { timestamp: -1 }),
      ]);
      await dal.summaries.add({
        sessionId,
        conversationId,
        text: 'Mine.',
        coversThrough: 1,
        firstTurnId: null,
        lastTurnId: null,
        author: 'person',
        createdAt: NOON,
        basedOnVersion: 0,
      });
      await dal.jobs.enqueue(sessionId, [newJob({ kind: 'counted' })], NOON);
      expect(await dal.sessions.statistics(sessionId)).toEqual({
        conversations: 1,
        turns: {
          total: 3,
          byAgent: { wykeve: 2, codey: 1 },
          byKind: { directive: 1, answer: 1, message: 1 },
          byDay: [
            { day: '1969-12-31', turns: 1 },
            { day: '2026-05-08', turns: 1 },
            { day: '2026-05-09', turns: 1 },
          ],
          firstAt: -1,
          lastAt: NOON + day,
        },
        summaries: { versions: 1, byPerson: 1 },
        cycles: {},
        causal: { events: 0, links: 0 },
        maskedSecrets: {},
        jobs: { ready: 1, running: 0, failed: 0 },
      });
      expect(await dal.sessions.statistics('sess_none')).toBeNull();
    });
  });

  describe('summaries', () => {
    it('keeps versions, newest first, for conversations and for the session', async () => {
      const sessionId = await newSession(dal);
      const early = await newConversation(dal, sessionId);
      const late = await newConversation(dal, sessionId);
      const add = (conversationId: string | null, text: string, basedOnVersion: number) =>
        dal.summaries.add({
          sessionId,
          conversationId,
          text,
          coversThrough: 1,
          firstTurnId: 'turn_a',
          lastTurnId: 'turn_b',
          author: 'model',
          createdAt: NOON,
          basedOnVersion,
        });
      expect(await add(late, 'late 1', 0)).toMatchObject({ version: 1 });
      expect(await add(early, 'early 1', 0)).toMatchObject({ version: 1 });
      expect(await add(early, 'early 2', 1)).toMatchObject({ version: 2 });
      expect(await add(early, 'stale', 1)).toBeNull();
      expect(await add(null, 'all', 0)).toMatchObject({ version: 1, conversationId: null });
      expect(await dal.summaries.latest(sessionId, early)).toMatchObject({ text: 'early 2' });
      expect(await dal.summaries.latest(sessionId, null)).toMatchObject({ text: 'all' });
      expect((await dal.summaries.latestOfAll(sessionId)).map((s) => s.text)).toEqual(['early 2', 'late 1']);
      expect((await dal.summaries.history(sessionId, early)).map((s) => s.version)).toEqual([2, 1]);
      expect(await dal.summaries.latest(sessionId, 'conv_unknown')).toBeNull();
    });
  });

  it('is sound after all this', async () => {
    expect(await dal.maintenance.check()).toEqual([]);
  });
});
