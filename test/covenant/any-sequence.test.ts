import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OUTCOMES } from '../../src/covenant/cycle-service.ts';
import { fitsBudget, spentTokens } from '../../src/covenant/machine/budget.ts';
import { bestDraft } from '../../src/covenant/machine/review-rules.ts';
import type { MachineEvent, MachineState } from '../../src/covenant/machine/state.ts';
import { commandFor, initialState, step } from '../../src/covenant/machine/step.ts';
import type { Verdict } from '../../src/covenant/verdict/verdict-schema.ts';
import { checked, drafted } from './machine-support.ts';

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
    mishap: fc.option(fc.constantFrom('unreadable', 'failed', 'cancelled', 'drained', 'tools'), {
      freq: 5,
    }),
    estimate: fc.integer({ min: 1, max: 600 }),
    /** Whether somebody lets a resting cycle go on, and how. */
    goesOn: fc.boolean(),
    decision: fc.constantFrom('approve' as const, 'reject' as const, 'steer' as const),
  });
  const limits = fc.record({
    maxRevisions: fc.integer({ min: 1, max: 10 }),
    maxTotalTokens: fc.option(fc.integer({ min: 1, max: 6_000 }), { nil: null }),
    decideFirst: fc.boolean(),
    criteria: fc.subarray([
      { id: 'c1', text: 'x' },
      { id: 'c2', text: 'y' },
    ]),
  });

  /** What a runner and those around it would do, with the world deciding by `moves`. */
  function run(state: MachineState, moves: Move[]): { end: MachineState; steered: number; decided: boolean } {
    let steered = 0;
    let decided = false;
    // Each of the world's moves can let a cycle go on once, so that the world does not wait for ever.
    const goingOn = moves.filter(({ goesOn }) => goesOn);
    for (let at = 0; ; at += 1) {
      const command = commandFor(state);
      if (command.type === 'rest') {
        const now = goingOn.pop();
        const event = now && wakeUp(state, now);
        if (!event) return { end: state, steered, decided };
        if (event.type === 'decided') decided = event.decision !== 'steer';
        if (event.type === 'decided' && event.decision === 'steer') steered += 1;
        state = step(state, event).state;
        continue;
      }
      expect(at).toBeLessThan(500);
      const now = moves[at % moves.length];
      if (!now) throw new Error('no moves');
      state = step(state, eventFor(state, command.type, now)).state;
    }
  }

  function wakeUp(state: MachineState, now: Move): MachineEvent | null {
    if (state.outcome === 'drained') return { type: 'resumed' };
    if (state.outcome === 'awaiting_decision')
      return { type: 'decided', decision: now.decision, text: 'So.' };
    if (state.outcome !== 'awaiting_tools') return null;
    return { type: 'tools_answered', results: [{ role: 'tool', tool_call_id: 't', content: '4' }] };
  }

  interface Move {
    verdict: Verdict;
    text: string;
    passed: boolean;
    mishap: string | null;
    estimate: number;
    goesOn: boolean;
    decision: 'approve' | 'reject' | 'steer';
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
    const ms = now.estimate;
    const fault = { status: 500, error: {}, headers: {} };
    if (now.mishap === 'failed') return { type: 'call_failed', call, fault, usage, ms };
    if (now.mishap === 'cancelled') return { type: 'stopped', why: 'client_cancelled', call, usage, ms };
    if (now.mishap === 'drained') return { type: 'stopped', why: 'drained', call, usage, ms };
    if (call === 'draft' && now.mishap === 'tools') {
      const message = { role: 'assistant', content: null, tool_calls: [{ id: 't' }] };
      return { type: 'tools_called', message, model: 'm', usage, ms };
    }
    if (call === 'guide') return { type: 'guided', guidance: '', usage, ms };
    if (call === 'draft') return { ...drafted(now.text), usage, ms } as MachineEvent;
    if (now.mishap === 'unreadable') return { type: 'review_unreadable', answer: '', problem: '', usage, ms };
    return { type: 'reviewed', verdict: now.verdict, usage, ms };
  }

  it('ends, within its rounds and its budget, and only with what the rules allow', () => {
    fc.assert(
      fc.property(limits, fc.array(move, { minLength: 1, maxLength: 30 }), (bounds, moves) => {
        const { end, steered, decided } = run(initialState(bounds), moves);
        const delivered = end.drafts.find(({ round }) => round === end.delivered) ?? null;
        expect(OUTCOMES).toContain(end.outcome);
        expect(end.drafts.length).toBeLessThanOrEqual(bounds.maxRevisions + 1 + steered);
        if (bounds.maxTotalTokens !== null)
          expect(spentTokens(end)).toBeLessThanOrEqual(bounds.maxTotalTokens);
        const delivers = end.outcome !== 'awaiting_tools' && !end.reason.startsWith('Rejected');
        expect(delivered).toBe(delivers ? bestDraft(end.drafts) : null);
        if (delivered && end.drafts.some(({ review }) => review)) expect(delivered.review).not.toBeNull();
        if ((end.outcome === 'approved' || end.outcome === 'approved_with_notes') && !decided) {
          expect(delivered?.review?.open.filter(({ severity }) => severity !== 'minor')).toEqual([]);
          expect(delivered?.review?.criteria.every(({ met }) => met === 'yes')).toBe(true);
          expect(delivered?.checks.every(({ passed }) => passed)).toBe(true);
        }
        // Where the person wants to decide first, nothing goes out without their word.
        const waited = ['awaiting_decision', 'awaiting_tools', 'client_cancelled', 'drained'];
        if (bounds.decideFirst && delivered && !decided) expect(waited).toContain(end.outcome);
        // What is stored is what goes on: the state survives its way through the record.
        expect(JSON.parse(JSON.stringify(end))).toEqual(end);
      }),
      { numRuns: 2_000 },
    );
  });
});
