import { describe, expect, it } from 'vitest';
import { newId } from '../../../src/base/ids.ts';
import type { NewCausalEvent } from '../../../src/store/causal-store.ts';
import type { JsonObject } from '../../../src/store/records.ts';
import { wordsOf } from '../../../src/memory/facts/fact-words.ts';
import { noteHabits } from '../../../src/memory/habits/note-habits.ts';
import { lessonHash } from '../../../src/memory/lessons/lesson-words.ts';
import { analyse } from '../../../src/text/analyse.ts';
import { countIn, DAY, NOW, openKeeping, saidBefore, sessionKeeping } from './support.ts';
import { onPostgres } from '../../support/record.ts';

const KEPT = 30;

async function begin() {
  const kept = await openKeeping();
  const sessionId = await sessionKeeping(kept, KEPT);
  return { ...kept, kept, sessionId };
}

describe('what was made of old turns', () => {
  it('facts that they told are gone, with what is pinned or worded by the person kept', async () => {
    const { dal, kept, memory, retention, sessionId } = await begin();
    const conversationId = await saidBefore(kept, sessionId, [
      [40, 'I live in Lyon.'],
      [2, 'I like pears.'],
    ]);
    const [old, young] = await memory.listTurns({ conversationId, fromNumber: 1, limit: 2 });
    const fact = (attribute: string, value: string, turnId: string | undefined, pinned = false) => ({
      factId: newId('fact'),
      ...wordsOf({ subject: 'the person', attribute, value }),
      exclusive: true,
      validFrom: NOW - 40 * DAY,
      conversationId,
      sourceTurnId: turnId ?? null,
      author: 'model' as const,
      pinned,
    });
    await dal.facts.add({
      sessionId,
      facts: [
        fact('home', 'Lyon', old?.turnId),
        fact('allergy', 'nuts', old?.turnId, true),
        fact('fruit', 'pears', young?.turnId),
      ],
      endings: [],
      jobs: [],
      now: NOW,
    });
    await retention.pass();
    const { items } = await memory.listFacts({ sessionId, current: false, limit: 10, cursor: null });
    expect(items.map(({ value }) => value).sort()).toEqual(['nuts', 'pears']);
    expect(await dal.facts.search({ sessionId, terms: ['lyon'], limit: 5 })).toEqual([]);
  });

  it('summaries that covered them are gone and are asked for anew; what the person wrote stays', async () => {
    const { dal, kept, retention, memory, sessionId } = await begin();
    const conversationId = await saidBefore(kept, sessionId, [
      [40, 'Old.'],
      [2, 'New.'],
    ]);
    const untouched = await saidBefore(kept, sessionId, [[1, 'Fresh.']]);
    const summarised = async (of: string | null, text: string, covers: number, basedOn: number) => {
      const turns =
        of === null ? [] : await memory.listTurns({ conversationId: of, fromNumber: 1, limit: 9 });
      await dal.summaries.add({
        sessionId,
        conversationId: of,
        text,
        coversThrough: covers,
        firstTurnId: turns[0]?.turnId ?? null,
        lastTurnId: turns[covers - 1]?.turnId ?? null,
        author: 'model',
        createdAt: NOW,
        basedOnVersion: basedOn,
      });
    };
    await summarised(conversationId, 'First.', 1, 0);
    await memory.putSummary({ sessionId, conversationId, text: 'My own words.' });
    await summarised(conversationId, 'My own words. And more.', 2, 2);
    await summarised(untouched, 'Fresh indeed.', 1, 0);
    await summarised(null, 'The whole.', 1, 0);
    await retention.pass();
    const texts = async (of: string | null) =>
      (await dal.summaries.history(sessionId, of)).map(({ text }) => text);
    expect(await texts(conversationId)).toEqual(['My own words.']);
    expect(await texts(untouched)).toEqual(['Fresh indeed.']);
    expect(await texts(null)).toEqual([]);
    const waiting = (await dal.jobs.counts()).map(({ kind }) => kind);
    expect(waiting).toEqual(
      expect.arrayContaining(['summarise_conversation', 'summarise_session', 'note_habits']),
    );
  });

  it('a summary that was being made of them meanwhile is gone at the next look', async () => {
    const { dal, kept, retention, clock, sessionId } = await begin();
    const conversationId = await saidBefore(kept, sessionId, [
      [40, 'Old.'],
      [1, 'New.'],
    ]);
    const [old] = await kept.memory.listTurns({ conversationId, fromNumber: 1, limit: 1 });
    await retention.pass();
    const added = await dal.summaries.add({
      sessionId,
      conversationId,
      text: 'Of old and new.',
      coversThrough: 2,
      firstTurnId: old?.turnId ?? null,
      lastTurnId: null,
      author: 'model',
      createdAt: NOW,
      basedOnVersion: 0,
    });
    expect(added).not.toBeNull();
    clock.time += 3_600_000;
    await retention.pass();
    expect(await dal.summaries.history(sessionId, conversationId)).toEqual([]);
  });

  it('an agent of whom no turn is left has no habits either', async () => {
    const { dal, memory, kept, retention, clock, sessionId } = await begin();
    const conversationId = await saidBefore(kept, sessionId, [[1, 'New.']]);
    const turns = [{ agent: 'codey' as const, content: 'Old words.', timestamp: NOW - 40 * DAY }];
    await memory.appendTurns({ conversationId, turns });
    const note = async () => {
      const job = { sessionId, jobId: 'job', kind: 'note_habits', payload: {}, attempts: 1, runAt: NOW };
      const context = { signal: new AbortController().signal, attempt: 1, isLastAttempt: false };
      await noteHabits({ dal, clock })(
        { ...job, state: 'running', lastError: null, createdAt: NOW },
        context,
      );
      return Promise.all(
        (['wykeve', 'codey'] as const).map(
          async (agent) => (await memory.getAgentState(sessionId, agent)).state['habits'] !== undefined,
        ),
      );
    };
    expect(await note()).toEqual([true, true]);
    await retention.pass();
    expect(await note()).toEqual([true, false]);
  });

  it('their vectors are gone, from what is held in memory too', async () => {
    const { dal, kept, retention, sessionId } = await begin();
    const conversationId = await saidBefore(kept, sessionId, [
      [40, 'Old.'],
      [2, 'New.'],
    ]);
    const vectors = [1, 2].map((turnNumber) => ({ turnNumber, vector: Float32Array.of(1, 0) }));
    await dal.vectors.write({ sessionId, conversationId, model: 'm', throughTurn: 2, vectors });
    const compared = () => dal.vectors.compare({ sessionId, model: 'm', vector: Float32Array.of(1, 0) });
    expect((await compared())?.turns).toEqual(Int32Array.of(1, 2));
    await retention.pass();
    expect((await compared())?.turns).toEqual(Int32Array.of(2));
  });

  it.skipIf(onPostgres)('the answer to a request whose turns are gone is not given again', async () => {
    const { kept, memory, retention, clock, sessionId, file } = await begin();
    const conversationId = await saidBefore(kept, sessionId, [[40, 'Old.']]);
    const append = (at: number) => {
      clock.time = at;
      const idempotency = { key: 'once', requestHash: 'h' };
      return memory.appendTurns({
        conversationId,
        turns: [{ agent: 'wykeve', content: 'Once.' }],
        idempotency,
      });
    };
    await append(NOW - 40 * DAY);
    clock.time = NOW;
    await append(NOW);
    await retention.pass();
    expect(countIn(file, 'idempotency_keys')).toBe(0);
  });
});

describe('old cycles', () => {
  it.skipIf(onPostgres)(
    'are gone with their steps and events; lessons stay, without the evidence',
    async () => {
      const { dal, kept, retention, sessionId, file } = await begin();
      const conversationId = await saidBefore(kept, sessionId, [
        [40, 'Old.'],
        [1, 'New.'],
      ]);
      const cycle = (daysAgo: number) => {
        const cycleId = newId('cyc');
        return dal.cycles
          .create({
            sessionId,
            conversationId,
            cycleId,
            status: 'done',
            outcome: 'approved',
            request: { directive: 'A river' } as JsonObject,
            machine: { format: 1 },
            createdAt: NOW - daysAgo * DAY,
            turns: [],
            events: [{ type: 'cycle_started', data: {} }],
            jobs: [],
          })
          .then(() => cycleId);
      };
      const [old, young] = [await cycle(40), await cycle(2)];
      const lesson = {
        lessonId: newId('les'),
        agent: 'codey' as const,
        trigger: '',
        text: 'Name two rivers.',
        status: 'active' as const,
        pinned: false,
        author: 'model' as const,
        evidence: [old, young].map((cycleId) => ({ cycleId, issueIds: ['short'] })),
        hash: lessonHash('Name two rivers.'),
      };
      await dal.lessons.add(sessionId, lesson, NOW - 40 * DAY);
      await retention.pass();
      expect(await dal.cycles.get(old)).toBeNull();
      expect(await dal.cycles.get(young)).not.toBeNull();
      expect([countIn(file, 'cycle_events'), countIn(file, 'cycle_requests')]).toEqual([1, 1]);
      expect((await dal.lessons.get(sessionId, lesson.lessonId))?.evidence).toEqual([
        { cycleId: young, issueIds: ['short'] },
      ]);
      expect(await dal.cycles.counts()).toEqual([{ name: 'approved', count: 1 }]);
      // The analytics hear of it: the old cycle is told as changed, and is not there.
      const { cycles, changed } = await dal.activity.changesSince(sessionId, 0, 100);
      expect([cycles.length, changed.length]).toEqual([1, 2]);
    },
  );
});

describe('chains of causes', () => {
  async function chains() {
    const all = await begin();
    const event = (name: string, daysAgo: number): NewCausalEvent => ({
      eventId: `evt_${name}`,
      conversationId: null,
      sourceTurnId: null,
      text: `The ${name} fell.`,
      actor: null,
      happenedAt: NOW - daysAgo * DAY,
      recordedBy: 'person',
      judged: true,
      terms: analyse(`The ${name} fell.`),
    });
    const { dal, sessionId } = all;
    const add = (...events: [name: string, daysAgo: number][]) =>
      dal.causal.addEvents({
        sessionId,
        events: events.map(([name, daysAgo]) => event(name, daysAgo)),
        jobs: [],
        progress: null,
        now: NOW,
      });
    const link = (cause: string, effect: string, relation: 'caused' | 'superseded' = 'caused') =>
      dal.causal.addLinks({
        sessionId,
        links: [
          {
            linkId: newId('link'),
            causeId: `evt_${cause}`,
            effectId: `evt_${effect}`,
            relation,
            confidence: 1,
            explanation: 'so',
            judgedBy: 'person',
          },
        ],
        now: NOW,
      });
    const left = async () =>
      (await dal.causal.recentEvents({ sessionId, before: null, limit: 500 }))
        .map(({ eventId }) => eventId.slice(4))
        .sort();
    return { ...all, add, link, left };
  }

  it('go when the whole chain is old, and stay whole when one event of it is not', async () => {
    const { add, link, left, retention, dal, sessionId } = await chains();
    await add(['storm', 90], ['mast', 80], ['sail', 70]);
    await add(['frost', 90], ['pipe', 60], ['wall', 3]);
    await add(['alone', 50], ['fresh', 1]);
    await link('storm', 'mast');
    await link('mast', 'sail');
    await link('frost', 'pipe');
    await link('pipe', 'wall');
    await retention.pass();
    expect(await left()).toEqual(['fresh', 'frost', 'pipe', 'wall']);
    expect(await dal.causal.search({ sessionId, terms: ['mast'], before: null, limit: 5 })).toEqual([]);
    expect((await dal.causal.counts()).events).toBe(4);
    // The projection hears of each.
    const changes = await dal.causal.changesSince(sessionId, 0, 1_000);
    expect(changes.removedEvents).toHaveLength(4);
    expect(await dal.maintenance.check()).toEqual([]);
  });

  it('hang together over every kind of link, and by effects as by causes', async () => {
    const { add, link, left, retention } = await chains();
    await add(['plan', 90], ['otherplan', 85], ['result', 2], ['sibling', 60]);
    await link('plan', 'result');
    await link('otherplan', 'result');
    await link('plan', 'sibling');
    await retention.pass();
    expect(await left()).toEqual(['otherplan', 'plan', 'result', 'sibling']);
  });

  it('a long one goes from its newest end, so that a stop leaves a chain from its roots', async () => {
    const { add, link, left, dal, kept, sessionId, clock } = await chains();
    const names = Array.from({ length: 35 }, (_, at) => `n${String(at).padStart(2, '0')}`);
    // Told backwards: what counts is when things happened.
    await add(...names.map((name, at): [string, number] => [name, 90 - at]).reverse());
    for (const [at, name] of names.entries()) if (at > 0) await link(names[at - 1] ?? '', name);
    clock.time = NOW + 60 * DAY;
    let calls = 0;
    const failing = {
      ...dal,
      retention: {
        ...dal.retention,
        removeEvents: (input: Parameters<typeof dal.retention.removeEvents>[0]) =>
          ++calls > 2 ? Promise.reject(new Error('stopped')) : dal.retention.removeEvents(input),
      },
    };
    expect(await kept.keeping(failing).pass()).toBe(false);
    expect(await left()).toEqual(names.slice(0, 25));
    await kept.keeping().pass();
    expect(await left()).toEqual([]);
    expect((await dal.causal.head(sessionId))?.changeSeq).toBeGreaterThan(0);
  });

  it('one that grows while it is looked at is kept', async () => {
    const { add, link, left, dal, kept } = await chains();
    await add(['old', 90], ['older', 95], ['news', 0]);
    await link('older', 'old');
    const late = {
      ...dal,
      retention: {
        ...dal.retention,
        removeEvents: async (input: Parameters<typeof dal.retention.removeEvents>[0]) => {
          await link('old', 'news');
          return dal.retention.removeEvents(input);
        },
      },
    };
    await kept.keeping(late).pass();
    expect(await left()).toEqual(['news', 'old', 'older']);
  });
});
