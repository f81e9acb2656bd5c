import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fitsBudget, spentTokens } from '../../src/covenant/machine/budget.ts';
import { bestDraft } from '../../src/covenant/machine/review-rules.ts';
import type { CheckResult, MachineEvent, MachineState } from '../../src/covenant/machine/state.ts';
import { commandFor, initialState, step } from '../../src/covenant/machine/step.ts';
import type { Verdict } from '../../src/covenant/verdict/verdict-schema.ts';

const USAGE = { prompt_tokens: 80, completion_tokens: 20, total_tokens: 100 };
const blocker = (id: string): Verdict['issues'][number] => ({
  id,
  severity: 'blocker',
  where: 'the second sentence',
  fix: 'say it right',
});
const verdict = (fields: Partial<Verdict> = {}): Verdict => ({
  decision: 'approve',
  issues: [],
  resolved: [],
  criteria: [],
  lesson: null,
  ...fields,
});
const drafted = (text: string): MachineEvent => ({
  type: 'drafted',
  text,
  hash: `hash of ${text}`,
  finishReason: 'stop',
  model: 'm',
  usage: USAGE,
});
const reviewed = (fields: Partial<Verdict> = {}): MachineEvent => ({
  type: 'reviewed',
  verdict: verdict(fields),
  usage: USAGE,
});
const PASSED: CheckResult[] = [{ name: 'not_empty', passed: true, detail: '' }];
const checked = (results = PASSED): MachineEvent => ({ type: 'checked', results });

function begin(
  limits: { maxRevisions?: number; maxTotalTokens?: number; criteria?: string[] } = {},
): MachineState {
  return initialState({
    maxRevisions: limits.maxRevisions ?? 3,
    maxTotalTokens: limits.maxTotalTokens ?? null,
    criteria: (limits.criteria ?? []).map((text, at) => ({ id: `c${String(at + 1)}`, text })),
  });
}

/** Applies events one after the other. */
function after(state: MachineState, ...events: MachineEvent[]): MachineState {
  return events.reduce((now, event) => step(now, event).state, state);
}

const guided: MachineEvent[] = [{ type: 'started' }, { type: 'guided', guidance: 'Be brief.', usage: USAGE }];

describe('the machine', () => {
  it('goes from guidance to draft to check to review to approval', () => {
    let state = begin();
    const commands = [commandFor(state).type];
    for (const event of [...guided, drafted('one'), checked(), reviewed()]) {
      const transition = step(state, event);
      state = transition.state;
      commands.push(transition.command.type);
    }
    expect(commands).toEqual(['guide', 'guide', 'draft', 'check', 'review', 'rest']);
    expect(state).toMatchObject({ status: 'approved', outcome: 'approved', delivered: 1 });
    expect(state.usage).toMatchObject({ beatrice: { total_tokens: 200 }, codey: { total_tokens: 100 } });
  });

  it('revises while a serious issue is open, and approves once a verdict says by its id that it is resolved', () => {
    const first = after(
      begin(),
      ...guided,
      drafted('one'),
      checked(),
      reviewed({ decision: 'revise', issues: [blocker('x')] }),
    );
    expect(first.status).toBe('revising');
    const second = after(first, drafted('two'), checked(), reviewed({ resolved: ['x'] }));
    expect(second).toMatchObject({ outcome: 'approved', delivered: 2 });
  });

  it('does not approve over an open blocker, whatever the verdict says of itself', () => {
    const state = after(begin(), ...guided, drafted('one'), checked(), reviewed({ issues: [blocker('x')] }));
    expect(state.outcome).toBeNull();
    const silent = after(state, drafted('two'), checked(), reviewed({ decision: 'approve', resolved: [] }));
    expect(silent.outcome).not.toBe('approved');
  });

  it('approves with notes when only minor issues are left', () => {
    const minor = { ...blocker('x'), severity: 'minor' as const };
    const state = after(
      begin(),
      ...guided,
      drafted('one'),
      checked(),
      reviewed({ decision: 'revise', issues: [minor] }),
    );
    expect(state.outcome).toBe('approved_with_notes');
  });

  it('counts a blocker without a place or a fix as minor', () => {
    const vague = { ...blocker('x'), where: ' ' };
    const state = after(
      begin(),
      ...guided,
      drafted('one'),
      checked(),
      reviewed({ decision: 'revise', issues: [vague] }),
    );
    expect(state.outcome).toBe('approved_with_notes');
  });

  it('wants every criterion met: one that the verdict forgets is unknown', () => {
    const state = after(
      begin({ criteria: ['names the river'] }),
      ...guided,
      drafted('one'),
      checked(),
      reviewed(),
    );
    expect(state.status).toBe('revising');
    expect(state.drafts[0]?.review?.criteria).toEqual([{ id: 'c1', met: 'unknown', evidence: '' }]);
    const met = reviewed({ criteria: [{ id: 'c1', met: 'yes', evidence: 'the Rhône' }] });
    expect(after(state, drafted('two'), checked(), met).outcome).toBe('approved');
  });

  it('wants every check passed', () => {
    const failed = checked([{ name: 'valid_json', passed: false, detail: 'Unexpected end.' }]);
    const state = after(begin(), ...guided, drafted('{'), failed, reviewed());
    expect(state.status).toBe('revising');
  });

  it('ends the last permitted round in a review, never in an unreviewed revision', () => {
    let state = after(begin({ maxRevisions: 1 }), ...guided);
    for (const [at, text] of ['one', 'two'].entries()) {
      state = after(
        state,
        drafted(text),
        checked(),
        reviewed({ decision: 'revise', issues: [blocker(`x${String(at)}`)], resolved: ['x0'] }),
      );
    }
    expect(state).toMatchObject({ outcome: 'max_rounds', status: 'stopped' });
    expect(state.drafts.every(({ review }) => review !== null)).toBe(true);
  });

  it('permits revisions also when none was made yet: round 0 is not "no rounds"', () => {
    const state = after(
      begin({ maxRevisions: 1 }),
      ...guided,
      drafted('one'),
      checked(),
      reviewed({ decision: 'revise', issues: [blocker('x')] }),
    );
    expect(commandFor(state)).toEqual({ type: 'draft', round: 2 });
  });

  it('stops when the same issues stay open twice running', () => {
    const again = reviewed({ decision: 'revise', issues: [blocker('x')] });
    const state = after(
      begin(),
      ...guided,
      drafted('one'),
      checked(),
      again,
      drafted('two'),
      checked(),
      again,
    );
    expect(state.outcome).toBe('stalled');
  });

  it('stops when the same draft comes twice running', () => {
    const state = after(
      begin(),
      ...guided,
      drafted('one'),
      checked(),
      reviewed({ decision: 'revise', issues: [blocker('x')] }),
      drafted('one'),
      checked(),
      reviewed({ decision: 'revise', issues: [blocker('y')], resolved: ['x'] }),
    );
    expect(state.outcome).toBe('stalled');
  });

  it('delivers the best reviewed draft, not the last one', () => {
    const minorOnly = { ...blocker('m'), severity: 'major' as const };
    const state = after(
      begin({ maxRevisions: 1 }),
      ...guided,
      drafted('nearly right'),
      checked(),
      reviewed({ decision: 'revise', issues: [minorOnly] }),
      drafted('much worse'),
      checked(),
      reviewed({ decision: 'revise', issues: [blocker('a'), blocker('b')] }),
    );
    expect(state).toMatchObject({ outcome: 'max_rounds', delivered: 1 });
    expect(state.reason).toContain('round 1');
  });

  it('takes a review that cannot be read for neither an approval nor a fault of the draft', () => {
    const state = after(begin(), ...guided, drafted('one'), checked(), {
      type: 'review_unreadable',
      problem: 'no JSON',
      usage: USAGE,
    });
    expect(state).toMatchObject({ outcome: 'review_unavailable', delivered: 1, status: 'stopped' });
    expect(state.reason).toContain('not reviewed');
  });

  it('keeps the reviewed draft when the upstream fails in a later round', () => {
    const state = after(
      begin(),
      ...guided,
      drafted('one'),
      checked(),
      reviewed({ decision: 'revise', issues: [blocker('x')] }),
      {
        type: 'call_failed',
        call: 'draft',
        fault: { status: 500, error: { message: 'boom' }, headers: {} },
        usage: USAGE,
      },
    );
    expect(state).toMatchObject({ outcome: 'upstream_error', delivered: 1 });
    expect(state.reason).toContain('boom');
  });

  it('waits for the person when Beatrice asks, and goes on with what they say', () => {
    const waiting = after(
      begin(),
      ...guided,
      drafted('one'),
      checked(),
      reviewed({ decision: 'ask_person' }),
    );
    expect(waiting).toMatchObject({ outcome: 'awaiting_decision', status: 'awaiting_decision' });
    const approved = after(waiting, { type: 'decided', decision: 'approve', text: '' });
    expect(approved).toMatchObject({ outcome: 'approved', delivered: 1 });
    const steered = after(waiting, { type: 'decided', decision: 'steer', text: 'Use metric units.' });
    expect(steered).toMatchObject({ status: 'revising', outcome: null, steer: 'Use metric units.' });
    expect(after(waiting, { type: 'decided', decision: 'reject', text: '' }).status).toBe('stopped');
  });

  it('refuses an event that does not fit, and any event after the end', () => {
    expect(() => step(begin(), drafted('early'))).toThrow(/does not fit/);
    const ended = after(begin(), ...guided, drafted('one'), checked(), reviewed());
    expect(() => step(ended, reviewed())).toThrow(/ended/);
  });

  it('reserves a review before it lets a draft be written', () => {
    const state = after(begin({ maxTotalTokens: 2_000 }), ...guided);
    expect(fitsBudget(state, 'draft', 800)).toBe(true);
    expect(fitsBudget(state, 'draft', 901)).toBe(false);
    expect(fitsBudget(state, 'review', 1_900)).toBe(true);
    expect(fitsBudget(state, 'review', 1_901)).toBe(false);
  });
});

describe('any sequence of events', () => {
  const issue = fc.record({
    id: fc.constantFrom('a', 'b', 'c'),
    severity: fc.constantFrom('blocker' as const, 'major' as const, 'minor' as const),
    where: fc.constantFrom('', 'here'),
    fix: fc.constantFrom('', 'so'),
  });
  const anyVerdict = fc.record({
    decision: fc.constantFrom('approve' as const, 'revise' as const, 'ask_person' as const),
    issues: fc.array(issue, { maxLength: 3 }),
    resolved: fc.subarray(['a', 'b', 'c']),
    criteria: fc.array(
      fc.record({
        id: fc.constantFrom('c1', 'c2', 'made-up'),
        met: fc.constantFrom('yes' as const, 'no' as const, 'unknown' as const),
        evidence: fc.constant(''),
      }),
      { maxLength: 3 },
    ),
    lesson: fc.constant(null),
  });
  const move = fc.record({
    verdict: anyVerdict,
    text: fc.constantFrom('one', 'two', 'three', 'four'),
    passed: fc.boolean(),
    mishap: fc.option(fc.constantFrom('unreadable', 'failed', 'cancelled'), { freq: 8 }),
    estimate: fc.integer({ min: 1, max: 600 }),
  });
  const limits = fc.record({
    maxRevisions: fc.integer({ min: 1, max: 10 }),
    maxTotalTokens: fc.option(fc.integer({ min: 1, max: 6_000 }), { nil: null }),
    criteria: fc.subarray([
      { id: 'c1', text: 'x' },
      { id: 'c2', text: 'y' },
    ]),
  });

  /** What a runner would do, with the world deciding by `moves`. */
  function run(state: MachineState, moves: Move[]): MachineState {
    for (let at = 0; ; at += 1) {
      const command = commandFor(state);
      if (command.type === 'rest') return state;
      expect(at).toBeLessThan(200);
      const now = moves[at % moves.length];
      if (!now) throw new Error('no moves');
      state = step(state, eventFor(state, command.type, now)).state;
    }
  }
  interface Move {
    verdict: Verdict;
    text: string;
    passed: boolean;
    mishap: string | null;
    estimate: number;
  }

  function eventFor(
    state: MachineState,
    call: 'guide' | 'draft' | 'review' | 'check',
    now: Move,
  ): MachineEvent {
    if (call === 'check') return checked([{ name: 'some', passed: now.passed, detail: '' }]);
    if (state.status === 'received') return { type: 'started' };
    if (!fitsBudget(state, call, now.estimate)) return { type: 'over_budget', call };
    const usage = { prompt_tokens: now.estimate, completion_tokens: 0, total_tokens: now.estimate };
    const fault = { status: 500, error: {}, headers: {} };
    if (now.mishap === 'failed') return { type: 'call_failed', call, fault, usage };
    if (now.mishap === 'cancelled') return { type: 'stopped', why: 'client_cancelled', call, usage };
    if (call === 'guide') return { type: 'guided', guidance: '', usage };
    if (call === 'draft') return { ...drafted(now.text), usage } as MachineEvent;
    if (now.mishap === 'unreadable') return { type: 'review_unreadable', problem: '', usage };
    return { type: 'reviewed', verdict: now.verdict, usage };
  }

  it('ends, within its rounds and its budget, and only with what the rules allow', () => {
    fc.assert(
      fc.property(limits, fc.array(move, { minLength: 1, maxLength: 30 }), (bounds, moves) => {
        const end = run(initialState(bounds), moves);
        const delivered = end.drafts.find(({ round }) => round === end.delivered) ?? null;
        expect(end.outcome).not.toBeNull();
        expect(end.drafts.length).toBeLessThanOrEqual(bounds.maxRevisions + 1);
        if (bounds.maxTotalTokens !== null)
          expect(spentTokens(end)).toBeLessThanOrEqual(bounds.maxTotalTokens);
        expect(delivered).toBe(bestDraft(end.drafts));
        if (end.drafts.some(({ review }) => review)) expect(delivered?.review).not.toBeNull();
        if (end.outcome === 'approved' || end.outcome === 'approved_with_notes') {
          expect(delivered?.review?.open.filter(({ severity }) => severity !== 'minor')).toEqual([]);
          expect(delivered?.review?.criteria.every(({ met }) => met === 'yes')).toBe(true);
          expect(delivered?.checks.every(({ passed }) => passed)).toBe(true);
        }
        // What is stored is what goes on: the state survives its way through the record.
        expect(JSON.parse(JSON.stringify(end))).toEqual(end);
      }),
      { numRuns: 2_000 },
    );
  });
});
