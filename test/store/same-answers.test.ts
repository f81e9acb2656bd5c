import { afterAll, describe, expect, it } from 'vitest';
import { createMemoryService } from '../../src/memory/create-memory-service.ts';
import type { MemoryDAL } from '../../src/store/memory-dal.ts';
import { analyse } from '../../src/text/analyse.ts';
import { IMPLEMENTATIONS, newTurn, NOON } from './implementations.ts';

const SESSION = 'sess_same';
const NAMES = ['Ana', 'Ben', 'Caro'];
const THINGS = [
  'the harbour',
  'a red bicycle',
  'the old library',
  'jazz',
  'chess',
  'mountains',
  'Lisbon',
  'tea',
];
const VERBS = ['likes', 'visited', 'spoke about', 'painted', 'forgot', 'bought'];
const pick = (list: string[], seed: number) => list[seed % list.length] ?? '';
const sentence = (at: number) =>
  `${pick(NAMES, at)} ${pick(VERBS, at * 5 + (at >> 2))} ${pick(THINGS, at * 3 + (at >> 3))} on day ${String(at % 29)}`;

/** The same data in each engine, ids and times included. */
async function fill(dal: MemoryDAL): Promise<void> {
  await dal.sessions.create({
    sessionId: SESSION,
    tokenHash: 'h',
    userPreferences: {},
    initialContext: null,
    now: NOON,
  });
  for (let c = 0; c < 6; c += 1) {
    const turns = Array.from({ length: 50 }, (_, i) => {
      const content = sentence(c * 50 + i);
      return newTurn(content, {
        turnId: `turn_${String(c)}_${String(i)}`,
        speaker: pick(NAMES, c + i),
        timestamp: NOON + (c * 50 + i) * 3_600_000,
        terms: analyse(content),
      });
    });
    const input = {
      sessionId: SESSION,
      conversationId: `conv_${String(c)}`,
      directive: 'x',
      jobs: [],
      now: NOON,
    };
    await dal.conversations.create({ ...input, turns });
  }
  await dal.causal.addEvents({
    sessionId: SESSION,
    events: Array.from({ length: 200 }, (_, at) => ({
      eventId: `event_${String(at)}`,
      conversationId: null,
      sourceTurnId: null,
      text: sentence(at),
      actor: pick(NAMES, at),
      happenedAt: NOON + at * 60_000,
      recordedBy: 'model' as const,
      judged: true,
      terms: analyse(sentence(at)),
    })),
    links: Array.from({ length: 150 }, (_, at) => ({
      linkId: `link_${String(at)}`,
      causeId: `event_${String(at)}`,
      effectId: `event_${String(at + 1 + (at % 7))}`,
      relation: (['caused', 'enabled', 'prevented'] as const)[at % 3] ?? 'caused',
      confidence: 0.5 + (at % 5) / 10,
      explanation: 'because',
      judgedBy: 'model' as const,
    })),
    jobs: [],
    progress: null,
    now: NOON,
  });
}

async function answers(dal: MemoryDAL) {
  const memory = createMemoryService({ dal, clock: { now: () => NOON + 400 * 3_600_000 } });
  const asked = ['Who likes the harbour?', 'What did Ben buy?', 'Ana in Lisbon, with tea', 'chess on day 7'];
  const before = { happenedAt: NOON + 150 * 60_000, eventNo: 151 };
  return {
    contexts: await Promise.all(
      asked.map(async (directive) => {
        const { relevantTurns } = await memory.buildContext({
          sessionId: SESSION,
          conversationId: null,
          directive,
          maxTurns: 15,
          maxTokens: 2_000,
          includeAgentState: true,
          includeCausal: true,
          alreadySent: [],
        });
        return relevantTurns.map(({ turn }) => turn.turnId);
      }),
    ),
    postings: await dal.index.lookup(
      SESSION,
      analyse(sentence(3)).terms.map(([term]) => term),
    ),
    causes: await Promise.all(
      asked.map(async (text) => {
        const terms = analyse(text).terms.map(([term]) => term);
        const found = await dal.causal.search({ sessionId: SESSION, terms, before, limit: 12 });
        return found.map(({ event, score }) => [event.eventId, event.open, event.linked, score]);
      }),
    ),
    inForce: await dal.causal.inForce({ sessionId: SESSION, before, limit: 10 }),
    recent: await dal.causal.recentEvents({ sessionId: SESSION, before, openOnly: true, limit: 10 }),
    ends: (await dal.causal.chainEnds(SESSION, [1, 40, 40, 90])).map(({ eventNo, ends }) => [
      eventNo,
      ends.toSorted((a, b) => a - b),
    ]),
    removed: await dal.causal.removeEvent({
      sessionId: SESSION,
      eventId: 'event_33',
      by: 'person',
      now: NOON,
    }),
    changes: await dal.causal.changesSince(SESSION, 20, 60),
    lastChanges: await dal.causal.changesSince(SESSION, 340, 60),
    exported: (await dal.maintenance.exportPage(SESSION, null, 1_000)).items,
  };
}

/** What another engine would have to answer word for word: order, scores, and what is exported. */
describe('the same data', () => {
  const records = IMPLEMENTATIONS.map(({ name, prepare }) => ({ name, record: prepare() }));
  afterAll(() => Promise.all(records.map(({ record }) => record.remove())));

  it('gets the same answers from every engine', async () => {
    const [first, ...others] = await Promise.all(
      records.map(async ({ record }) => {
        const dal = await record.open();
        await fill(dal);
        return answers(dal);
      }),
    );
    expect(first?.contexts.every((found) => found.length > 5)).toBe(true);
    expect(first?.causes.every((found) => found.length > 3)).toBe(true);
    expect(others).toHaveLength(records.length - 1);
    for (const other of others) expect(other).toEqual(first);
  });
});
