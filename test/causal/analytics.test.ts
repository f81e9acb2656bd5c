import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { newId } from '../../src/base/ids.ts';
import { createCausalMemory } from '../../src/causal/create-causal-memory.ts';
import type { MemoryDAL } from '../../src/store/memory-dal.ts';
import { analyse } from '../../src/text/analyse.ts';
import { link, newSession, NOON, openMemory, tellEvents } from './support.ts';

const DAY = 86_400_000;
const usage = (prompt: number, completion: number) => ({
  prompt_tokens: prompt,
  completion_tokens: completion,
  total_tokens: prompt + completion,
});

async function open() {
  const { dal, folder } = await openMemory();
  const causal = createCausalMemory({
    store: dal.causal,
    activity: dal.activity,
    projectionFile: join(folder, 'analytics.duckdb'),
  });
  onTestFinished(() => causal.close());
  return { dal, causal, folder };
}

async function newConversation(dal: MemoryDAL, sessionId: string): Promise<string> {
  const conversationId = newId('conv');
  await dal.conversations.create({
    sessionId,
    conversationId,
    directive: 'Do it.',
    turns: [],
    jobs: [],
    now: NOON,
  });
  return conversationId;
}

/** A cycle as its runner stores it: a draft and a review for each round, then its end. */
async function runCycle(
  dal: MemoryDAL,
  of: { sessionId: string; conversationId: string },
  { rounds, outcome, at, ms }: { rounds: number; outcome: string | null; at: number; ms: number },
): Promise<string> {
  const cycleId = newId('cyc');
  await dal.cycles.create({
    ...of,
    cycleId,
    status: 'executing',
    outcome: null,
    request: {},
    machine: {},
    createdAt: at,
    turns: [],
    events: [],
    jobs: [],
  });
  let [version, number] = [1, 0];
  for (let round = 1; round <= rounds; round += 1) {
    for (const [kind, agent] of [
      ['draft', 'codey'],
      ['review', 'beatrice'],
    ] as const) {
      number += 1;
      const stepId = `step_${String(number)}`;
      const shared = {
        ...of,
        cycleId,
        status: 'x',
        outcome: null,
        machine: {},
        turns: [],
        events: [],
        jobs: [],
      };
      ({ version } = await dal.cycles.commit({
        ...shared,
        expectedVersion: version,
        openStep: { stepId, stepNumber: number, kind, agent, round, attempt: 1, input: {}, startedAt: at },
        now: at,
      }));
      const last = round === rounds && kind === 'review';
      ({ version } = await dal.cycles.commit({
        ...shared,
        outcome: last ? outcome : null,
        expectedVersion: version,
        closeStep: { stepId, status: 'done', output: { usage: usage(100, 10) }, endedAt: at + ms },
        now: at + ms,
      }));
    }
  }
  return cycleId;
}

describe('analytics on the projection', () => {
  it('name the root causes by what they led to, and tell the longest chains', async () => {
    const { dal, causal } = await open();
    const sessionId = await newSession(dal);
    const [rain, leak, mould, move, fire, ash, roof] = await tellEvents(causal, sessionId, [
      'it rained',
      'the roof leaked',
      'mould grew',
      'Ana moved out',
      'the shed burned',
      'ash lay about',
      'the roof was mended',
    ]);
    await causal.addLinks(sessionId, [
      link(rain, leak, 'caused', { confidence: 0.9 }),
      link(leak, mould, 'caused', { confidence: 0.8 }),
      link(mould, move, 'enabled', { confidence: 0.5 }),
      // A second way, shorter and surer: an effect counts once, and the longest chain is the longest.
      link(rain, move, 'caused', { confidence: 1 }),
      link(fire, ash),
      link(roof, leak, 'prevented'),
    ]);
    const { causes } = await causal.analytics(sessionId);
    expect(
      causes.rootCauses.map(({ event, effects, directEffects }) => [event.text, effects, directEffects]),
    ).toEqual([
      ['it rained', 3, 2],
      ['the shed burned', 1, 1],
    ]);
    expect(causes.longestChains.map(({ events }) => events.map(({ text }) => text))).toEqual([
      ['it rained', 'the roof leaked', 'mould grew', 'Ana moved out'],
      ['the shed burned', 'ash lay about'],
    ]);
    expect(causes.longestChains[0]?.links).toHaveLength(3);
    expect(causes.longestChains[0]?.confidence).toBeCloseTo(0.9 * 0.8 * 0.5);
    expect(causes.truncated).toBe(false);
  });

  it('count cycles by outcome, rounds and day, with the time they worked, and tokens by agent and day', async () => {
    const { dal, causal } = await open();
    const sessionId = await newSession(dal);
    const conversationId = await newConversation(dal, sessionId);
    const of = { sessionId, conversationId };
    await runCycle(dal, of, { rounds: 1, outcome: 'approved', at: NOON, ms: 1000 });
    await runCycle(dal, of, { rounds: 3, outcome: 'approved_with_notes', at: NOON, ms: 2000 });
    await runCycle(dal, of, { rounds: 2, outcome: 'max_rounds', at: NOON + DAY, ms: 500 });
    await runCycle(dal, of, { rounds: 1, outcome: 'awaiting_decision', at: NOON + DAY, ms: 500 });
    await runCycle(dal, of, { rounds: 1, outcome: null, at: NOON + DAY, ms: 500 });
    const { cycles, tokens } = await causal.analytics(sessionId);
    expect(cycles.total).toBe(4);
    expect(cycles.byOutcomeAndRounds).toEqual([
      { outcome: 'approved', rounds: 1, cycles: 1 },
      { outcome: 'approved_with_notes', rounds: 3, cycles: 1 },
      { outcome: 'awaiting_decision', rounds: 1, cycles: 1 },
      { outcome: 'max_rounds', rounds: 2, cycles: 1 },
    ]);
    expect(cycles.byDay).toEqual([
      // Two calls of 1 s, and six of 2 s.
      { day: '2026-05-08', cycles: 2, approved: 2, meanRounds: 2, p50Ms: 7000, p95Ms: 11_500 },
      { day: '2026-05-09', cycles: 1, approved: 0, meanRounds: 2, p50Ms: 2000, p95Ms: 2000 },
    ]);
    expect(tokens.byAgent).toEqual([
      { agent: 'beatrice', calls: 8, prompt: 800, completion: 80, total: 880 },
      { agent: 'codey', calls: 8, prompt: 800, completion: 80, total: 880 },
    ]);
    expect(tokens.byDay.map(({ day, agent, total }) => [day, agent, total])).toEqual([
      ['2026-05-08', 'beatrice', 440],
      ['2026-05-08', 'codey', 440],
      ['2026-05-09', 'beatrice', 440],
      ['2026-05-09', 'codey', 440],
    ]);
  });

  it('count the cost of an answer without a cycle, and believe no nonsense', async () => {
    const { dal, causal } = await open();
    const sessionId = await newSession(dal);
    const conversationId = await newConversation(dal, sessionId);
    const answer = (metadata: Record<string, unknown>) => ({
      turnId: newId('turn'),
      agent: 'codey' as const,
      kind: 'answer' as const,
      content: 'Yes.',
      speaker: null,
      timestamp: NOON,
      cycleId: null,
      metadata: metadata as never,
      terms: analyse('Yes.'),
    });
    await dal.turns.append({
      sessionId,
      conversationId,
      turns: [
        answer({ usage: usage(30, 4) }),
        answer({ usage: { total_tokens: 'many', prompt_tokens: -4 } }),
        answer({ usage: 'none' }),
        answer({}),
      ],
      jobs: [],
      now: NOON,
    });
    expect((await causal.analytics(sessionId)).tokens.byAgent).toEqual([
      { agent: 'codey', calls: 1, prompt: 30, completion: 4, total: 34 },
    ]);
  });

  it('follow a cycle that goes on, and never count another session', async () => {
    const { dal, causal } = await open();
    const [one, two] = [await newSession(dal), await newSession(dal)];
    const of = { sessionId: one, conversationId: await newConversation(dal, one) };
    const cycleId = await runCycle(dal, of, { rounds: 1, outcome: 'drained', at: NOON, ms: 1 });
    const before = await causal.analytics(one);
    expect(before.cycles.byOutcome.map(({ outcome, cycles }) => [outcome, cycles])).toEqual([['drained', 1]]);
    const cycle = await dal.cycles.get(cycleId);
    await dal.cycles.commit({
      sessionId: one,
      cycleId,
      expectedVersion: cycle!.version,
      status: 'approved',
      outcome: 'approved',
      machine: {},
      turns: [],
      events: [],
      jobs: [],
      now: NOON + 5,
    });
    const after = await causal.analytics(one);
    expect(after.cycles.byOutcome.map(({ outcome, cycles }) => [outcome, cycles])).toEqual([['approved', 1]]);
    expect(after.tokens).toEqual(before.tokens);
    expect((await causal.analytics(two)).cycles.total).toBe(0);
    expect((await causal.analytics(null)).cycles.total).toBe(1);
    await dal.sessions.erase(one);
    await causal.eraseSession(one);
    expect((await causal.analytics(null)).cycles.total).toBe(0);
    await expect(causal.analytics(one)).rejects.toMatchObject({ code: 'session_not_found' });
  });
});
