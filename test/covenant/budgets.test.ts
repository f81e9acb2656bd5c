import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CycleOptions } from '../../src/covenant/cycle-service.ts';
import type { ServerBudgets } from '../../src/covenant/budgets.ts';
import { hangMidStream, role, startUpstream, streamed, type Upstream } from '../support/upstream.ts';
import { openBench, type Bench } from './support.ts';
import { onPostgres } from '../support/record.ts';

const APPROVE = JSON.stringify({ decision: 'approve', issues: [], resolved: [], criteria: [], lesson: null });
const REVISE = JSON.stringify({
  decision: 'revise',
  issues: [{ id: 'a', severity: 'major', where: 'the whole', fix: 'Mend it.' }],
});
const NONE = { tokens: null, ms: null, rounds: null };
const usage = (tokens: number) => ({ prompt_tokens: tokens, completion_tokens: 0 });

/** Guidance, draft and verdict cost so many tokens each, by the upstream's own count. */
function answerAlways(upstream: Upstream, tokens: number, verdict = APPROVE): void {
  upstream
    .on(role('guidance'), streamed(['Go.'], { usage: usage(tokens) }))
    .on(role('draft'), streamed(['The Rhine and the Rhône.'], { usage: usage(tokens) }))
    .on(role('verdict'), streamed([verdict], { usage: usage(tokens) }));
}

describe('the budgets of a session and of a day', () => {
  let upstream: Upstream;
  let bench: Bench;
  const open = async (budgets?: Partial<ServerBudgets>) => {
    bench = await openBench(upstream, { budgets: { session: NONE, day: NONE, ...budgets } });
  };
  beforeEach(async () => {
    upstream = await startUpstream();
  });
  afterEach(async () => {
    await bench.close();
    await upstream.close();
  });

  const start = (options: Partial<CycleOptions> = {}, cycles = bench.cycles) =>
    cycles.start({ ...bench.input(), options: { ...bench.input().options, ...options } });
  const run = async (options: Partial<CycleOptions> = {}) => (await start(options)).done;
  const standing = () => bench.dal.budgets.standing(bench.sessionId, Date.now());

  it('count what the upstream says each call has cost, also when nothing limits them', async () => {
    await open();
    answerAlways(upstream, 700);
    await run();
    const { session, session_day: today, day } = await standing();
    expect(session.spent).toMatchObject({ tokens: 2_100, rounds: 1 });
    expect([today, day]).toEqual([session, session]);
    expect(session.reserved).toEqual({ tokens: 0, ms: 0, rounds: 0 });
  });

  it.each([
    ['the session', { session: { ...NONE, tokens: 8_000 } }],
    ['the day', { day: { ...NONE, tokens: 8_000 } }],
  ])('refuse, before anything is spent, what has no room in the tokens of %s', async (_whose, budgets) => {
    await open(budgets);
    answerAlways(upstream, 2_000);
    expect(await run()).toMatchObject({ outcome: 'approved' });
    const calls = upstream.calls.length;
    const refused = await run();
    expect(refused).toMatchObject({
      outcome: 'token_budget',
      answer: '',
      usage: { total_tokens: 0 },
      error: { status: 429, error: { code: 'budget_exhausted' }, headers: { 'x-should-retry': 'false' } },
    });
    expect(refused.reason).toMatch(/^The token budget of this (session|server for today) has no room/);
    expect(upstream.calls).toHaveLength(calls);
    // The refusal is on record too.
    expect((await bench.cycles.get(refused.cycleId)).cycle.outcome).toBe('token_budget');
  });

  it('let a session ask for less than the server allows, and not for more', async () => {
    await open({ session: { ...NONE, rounds: 2 } });
    answerAlways(upstream, 10, REVISE);
    expect(await run({ budget: { rounds: 1 } })).toMatchObject({ outcome: 'max_rounds', rounds: 1 });
    expect(await run({ budget: { rounds: 9 } })).toMatchObject({ outcome: 'max_rounds', rounds: 1 });
    expect(await run({ budget: { rounds: 9 } })).toMatchObject({ outcome: 'max_rounds', rounds: 0 });
  });

  it('end a cycle between two rounds with the best reviewed draft, and keep a review in reserve', async () => {
    await open({ session: { ...NONE, tokens: 7_000 } });
    answerAlways(upstream, 1_500, REVISE);
    const result = await run();
    // 4,500 are spent on the first round; of the rest a draft and its review would take more than there is.
    expect(result).toMatchObject({ outcome: 'token_budget', answer: 'The Rhine and the Rhône.', rounds: 1 });
    expect(result.verdicts).toHaveLength(1);
    expect((await standing()).session.spent.tokens).toBe(4_500);
  });

  it('hold between cycles that run at the same time: none spends what another has reserved', async () => {
    await open({ day: { ...NONE, tokens: 20_000 } });
    answerAlways(upstream, 900);
    const results = await Promise.all(Array.from({ length: 20 }, () => run()));
    const spent = (await standing()).day.spent.tokens;
    expect(spent).toBeLessThanOrEqual(20_000);
    expect(spent).toBe(results.reduce((sum, { usage: { total_tokens: tokens } }) => sum + tokens, 0));
    const ends = results.map(({ outcome }) => outcome);
    expect(ends).toContain('approved');
    expect(ends).toContain('token_budget');
    // Whoever was let in has got through: its review was reserved with its draft.
    for (const { outcome, rounds } of results) expect(rounds).toBe(outcome === 'approved' ? 1 : 0);
  });

  it('give an answer more while there is room, and break it off when there is none', async () => {
    await open({ session: { ...NONE, tokens: 12_000 } });
    upstream
      .expect(role('guidance'), streamed(['Go.'], { usage: usage(100) }))
      .expect(role('draft'), hangMidStream(Array.from({ length: 20_000 }, () => ' river')));
    const result = await run();
    expect(result).toMatchObject({ outcome: 'token_budget', answer: '' });
    const call = await upstream.call(2);
    await call.aborted;
    const { spent, reserved } = (await standing()).session;
    // All that a review leaves of the budget, far more than an answer is estimated at, and no more than the budget.
    expect(spent.tokens).toBeGreaterThan(9_000);
    expect(spent.tokens).toBeLessThanOrEqual(12_000);
    expect(reserved.tokens).toBe(0);
  });

  it('stop the work when the session’s seconds are used up', async () => {
    await open();
    upstream.expect(role('guidance'), streamed(['Go.'])).expect(role('draft'), hangMidStream(['The Rh']));
    expect(await run({ budget: { seconds: 1 } })).toMatchObject({ outcome: 'time_budget' });
    expect(await run({ budget: { seconds: 1 } })).toMatchObject({
      outcome: 'time_budget',
      usage: { total_tokens: 0 },
    });
  });

  it.skipIf(onPostgres)(
    'know of a call that a crash cut off: it counts as it was estimated, and is called again',
    async () => {
      await open({ session: { ...NONE, tokens: 50_000 } });
      upstream
        .expect(role('guidance'), streamed(['Go.'], { usage: usage(700) }))
        .expect(role('draft'), hangMidStream(['The Rh']));
      const { cycleId } = await start();
      await upstream.call(2);
      await expect.poll(async () => (await standing()).session.reserved.tokens).toBeGreaterThan(1_000);
      // Another process, with the same record: what is reserved is there too.
      const { cycles, dal } = await bench.reopenedWhole();
      expect((await dal.budgets.standing(bench.sessionId, Date.now())).session.reserved.rounds).toBe(1);
      expect(await dal.budgets.settleInterrupted()).toBe(1);
      const { session } = await standing();
      expect(session.reserved.tokens).toBe(0);
      expect(session.spent.tokens).toBeGreaterThan(700 + 1_000);
      answerAlways(upstream, 100);
      expect(await (await cycles.resume(cycleId)).done).toMatchObject({ outcome: 'approved' });
      expect((await standing()).session.spent.tokens).toBe(session.spent.tokens + 200);
    },
  );

  it('count what a cancelled call had cost by then, and keep nothing reserved', async () => {
    await open({ session: { ...NONE, tokens: 50_000 } });
    upstream
      .expect(role('guidance'), streamed(['Go.'], { usage: usage(700) }))
      .expect(role('draft'), hangMidStream(['The Rhine, ', 'the Rhône, ']));
    const running = await start();
    await upstream.call(2);
    running.cancel();
    const { usage: told } = await running.done;
    const { spent, reserved } = (await standing()).session;
    expect(spent.tokens).toBe(told.total_tokens);
    expect(spent.tokens).toBeGreaterThan(700);
    expect(reserved).toEqual({ tokens: 0, ms: 0, rounds: 0 });
  });

  it('begin anew with the day, and stay with the session', async () => {
    await open();
    answerAlways(upstream, 2_000);
    await run();
    const tomorrow = await bench.dal.budgets.standing(bench.sessionId, Date.now() + 86_400_000);
    expect(tomorrow.session.spent.tokens).toBe(6_000);
    expect(tomorrow.session_day.spent.tokens).toBe(0);
    expect(tomorrow.day.spent.tokens).toBe(0);
  });

  it('do not give the day back what an erased session has spent', async () => {
    await open();
    answerAlways(upstream, 2_000);
    await run();
    await bench.dal.sessions.erase(bench.sessionId);
    const { session, day } = await standing();
    expect(session.spent.tokens).toBe(0);
    expect(day.spent.tokens).toBe(6_000);
  });
});
