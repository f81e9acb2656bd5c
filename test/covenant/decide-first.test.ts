import { describe, expect, it } from 'vitest';
import { after, begin, blocker, checked, COST, drafted, guided, reviewed } from './machine-support.ts';

const first = () => ({ ...begin({ maxRevisions: 1 }), decideFirst: true });
const fault = { status: 500, error: { message: 'boom' }, headers: {} };

describe('a session that wants to decide before delivery', () => {
  it('waits after an approval, and says that it is one', () => {
    const waiting = after(first(), ...guided, drafted('one'), checked(), reviewed());
    expect(waiting).toMatchObject({
      outcome: 'awaiting_decision',
      status: 'awaiting_decision',
      delivered: 1,
    });
    expect(waiting.reason).toBe(
      'Approved. It waits for the person to decide. What waits is the draft of round 1.',
    );
  });

  it('delivers what the person approves, drops what they reject, and revises what they steer', () => {
    const waiting = after(first(), ...guided, drafted('one'), checked(), reviewed());
    expect(after(waiting, { type: 'decided', decision: 'approve', text: '' })).toMatchObject({
      outcome: 'approved',
      delivered: 1,
      reason: 'Approved by the person. What is delivered is the draft of round 1.',
    });
    expect(after(waiting, { type: 'decided', decision: 'reject', text: '' })).toMatchObject({
      outcome: 'client_cancelled',
      delivered: null,
    });
    const steered = after(waiting, { type: 'decided', decision: 'steer', text: 'Shorter.' });
    expect(steered).toMatchObject({ status: 'revising', outcome: null, steer: 'Shorter.' });
    // The new draft is reviewed, and waits as the one before it did.
    expect(after(steered, drafted('two'), checked(), reviewed())).toMatchObject({
      outcome: 'awaiting_decision',
      delivered: 2,
    });
  });

  it.each([
    ['max_rounds', [drafted('two'), checked(), reviewed({ decision: 'revise', issues: [blocker('b')] })]],
    ['stalled', [drafted('one'), checked(), reviewed({ decision: 'revise', issues: [blocker('a')] })]],
    ['token_budget', [{ type: 'over_budget' as const, call: 'draft' as const }]],
    ['upstream_error', [{ type: 'call_failed' as const, call: 'draft' as const, fault, ...COST }]],
  ])('waits also where it would have ended as %s: an unapproved draft all the more', (_end, events) => {
    const revised = after(
      first(),
      ...guided,
      drafted('one'),
      checked(),
      reviewed({ decision: 'revise', issues: [blocker('a')] }),
    );
    const waiting = after(revised, ...events);
    expect(waiting.outcome).toBe('awaiting_decision');
    expect(waiting.reason).toContain('it was not approved');
  });

  it('has nothing to wait for when there is no draft, when it was cancelled, or when the server stops', () => {
    const failed = after(
      first(),
      { type: 'started' },
      { type: 'call_failed', call: 'guide', fault, ...COST },
    );
    expect(failed.outcome).toBe('upstream_error');
    const working = after(first(), ...guided, drafted('one'), checked());
    expect(after(working, { type: 'stopped', why: 'client_cancelled', call: null, ...COST }).outcome).toBe(
      'client_cancelled',
    );
    const drained = after(working, { type: 'stopped', why: 'drained', call: null, ...COST });
    expect(after(drained, { type: 'resumed' }, reviewed()).outcome).toBe('awaiting_decision');
  });
});
