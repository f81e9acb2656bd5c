import { describe, expect, it } from 'vitest';
import { fitsBudget, msLeft } from '../../src/covenant/machine/budget.ts';
import type { MachineEvent } from '../../src/covenant/machine/state.ts';
import { commandFor, step } from '../../src/covenant/machine/step.ts';
import { after, begin, blocker, checked, COST, drafted, guided, reviewed } from './machine-support.ts';

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
    expect(commandFor(state)).toMatchObject({ type: 'draft', round: 2 });
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
    const unreadable = { type: 'review_unreadable' as const, answer: 'Fine!', problem: 'no JSON', ...COST };
    const first = after(begin(), ...guided, drafted('one'), checked(), unreadable);
    expect(commandFor(first)).toEqual({ type: 'review', round: 1, repair: true });
    expect(first.unreadable).toEqual({ answer: 'Fine!', problem: 'no JSON' });
    expect(after(first, reviewed())).toMatchObject({ outcome: 'approved', unreadable: null });
    const state = after(first, unreadable);
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
        ...COST,
      },
    );
    expect(state).toMatchObject({ outcome: 'upstream_error', delivered: 1 });
    expect(state.reason).toContain('boom');
  });

  it.each([
    ['boom', 'boom.'],
    ['It is left alone for a moment..', 'It is left alone for a moment.'],
    ['See https://example.org/api-keys.', 'See https://example.org/api-keys.'],
    ['Why so many?', 'Why so many?'],
  ])('says what the upstream said with one mark at its end: %s', (message, told) => {
    const fault = { status: 500, error: { message }, headers: {} };
    const state = after(begin(), { type: 'started' }, { type: 'call_failed', call: 'guide', fault, ...COST });
    expect(state.reason).toBe(`The upstream failed: ${told} There is no draft.`);
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

  it('delivers nothing that the person has rejected', () => {
    const waiting = after(
      begin(),
      ...guided,
      drafted('one'),
      checked(),
      reviewed({ decision: 'ask_person' }),
    );
    const rejected = after(waiting, { type: 'decided', decision: 'reject', text: '' });
    expect(rejected).toMatchObject({ outcome: 'client_cancelled', delivered: null });
  });

  it('asks what has become of an open issue that an approval passes over', () => {
    const open = after(
      begin(),
      ...guided,
      drafted('one'),
      checked(),
      reviewed({ decision: 'revise', issues: [blocker('x')] }),
      drafted('two'),
      checked(),
    );
    const silent = after(open, reviewed());
    expect(commandFor(silent)).toMatchObject({ type: 'review', repair: true });
    expect(silent.unreadable?.problem).toContain('x');
    expect(after(silent, reviewed({ resolved: ['x'] })).outcome).toBe('approved');
    // Still silent: the issue stays open, and nothing is approved over it.
    expect(after(silent, reviewed()).outcome).toBe('stalled');
  });

  it('takes a criterion that is answered twice for what the worse answer says', () => {
    const both = reviewed({
      criteria: [
        { id: 'c1', met: 'yes', evidence: 'a' },
        { id: 'c1', met: 'no', evidence: 'b' },
      ],
    });
    const state = after(begin({ criteria: ['names the river'] }), ...guided, drafted('one'), checked(), both);
    expect(state.status).toBe('revising');
  });

  it('loses no issue to another one with the same id, or with none', () => {
    const minor = { ...blocker('1'), severity: 'minor' as const };
    const state = after(
      begin(),
      ...guided,
      drafted('one'),
      checked(),
      reviewed({ decision: 'revise', issues: [blocker('1'), minor, blocker(''), blocker('')] }),
    );
    const ids = state.drafts[0]?.review?.open.map(({ id, severity }) => [id, severity]);
    expect(ids).toEqual([
      ['1', 'blocker'],
      ['1-2', 'minor'],
      ['r1-3', 'blocker'],
      ['r1-4', 'blocker'],
    ]);
  });

  it('knows the place of a blocker that is named again in fewer words', () => {
    const again = { ...blocker('x'), where: '', fix: '' };
    const state = after(
      begin(),
      ...guided,
      drafted('one'),
      checked(),
      reviewed({ decision: 'revise', issues: [blocker('x')] }),
      drafted('two'),
      checked(),
      reviewed({ decision: 'revise', issues: [again] }),
    );
    expect(state.drafts[1]?.review?.open).toEqual([blocker('x')]);
    expect(state.outcome).toBe('stalled');
  });

  it('does not take two failures of different checks for standing still', () => {
    const failing = (name: string) => checked([{ name, passed: false, detail: '' }]);
    const state = after(
      begin(),
      ...guided,
      drafted('one'),
      failing('valid_json'),
      reviewed(),
      drafted('two'),
      failing('json_schema'),
      reviewed(),
    );
    expect(state.status).toBe('revising');
    expect(after(state, drafted('three'), failing('json_schema'), reviewed()).outcome).toBe('stalled');
  });

  it('tells the reviewer of a check that is not required, and asks no more of it', () => {
    const told = checked([{ name: 'finished', passed: false, required: false, detail: '' }]);
    expect(after(begin(), ...guided, drafted('one'), told, reviewed()).outcome).toBe('approved');
  });

  it('waits for the client’s tools, and goes on with their results in the order of the calls', () => {
    const calling: MachineEvent = {
      type: 'tools_called',
      message: { role: 'assistant', content: null, tool_calls: [{ id: 'a' }, { id: 'b' }] },
      model: 'm',
      ...COST,
    };
    const waiting = after(begin(), ...guided, calling);
    expect(waiting).toMatchObject({
      status: 'awaiting_client_tools',
      outcome: 'awaiting_tools',
      delivered: null,
    });
    const result = (id: string) => ({ role: 'tool', tool_call_id: id, content: id });
    const answered = after(waiting, { type: 'tools_answered', results: [result('b'), result('a')] });
    expect(answered).toMatchObject({ status: 'executing', outcome: null });
    expect(answered.toolMessages.map(({ message }) => message.content)).toEqual([null, 'a', 'b']);
    expect(() => after(waiting, { type: 'tools_answered', results: [result('a')] })).toThrow(/b is missing/);
    // In a revision the reviewed draft is kept, and still not delivered while the tools are at work.
    const revising = after(
      answered,
      drafted('one'),
      checked(),
      reviewed({ decision: 'revise', issues: [blocker('x')] }),
      calling,
    );
    expect(revising).toMatchObject({ outcome: 'awaiting_tools', delivered: null });
    expect(after(revising, { type: 'tools_answered', results: [result('a'), result('b')] }).status).toBe(
      'revising',
    );
  });

  it('goes on from where the server was stopped', () => {
    const stop: MachineEvent = { type: 'stopped', why: 'drained', call: null, ...COST };
    const places: [MachineEvent[], string][] = [
      [[{ type: 'started' }], 'guide'],
      [guided, 'draft'],
      [[...guided, drafted('one')], 'check'],
      [[...guided, drafted('one'), checked()], 'review'],
      [
        [...guided, drafted('one'), checked(), reviewed({ decision: 'revise', issues: [blocker('x')] })],
        'draft',
      ],
    ];
    for (const [events, next] of places) {
      const state = after(begin(), ...events);
      const resumed = after(state, stop, { type: 'resumed' });
      expect(commandFor(resumed)).toEqual(commandFor(state));
      expect(commandFor(resumed).type).toBe(next);
    }
  });

  it('counts working time by what the calls took', () => {
    const state = after(begin({ maxSeconds: 1 }), ...guided, drafted('one'));
    expect(msLeft(state)).toBe(990);
    expect(msLeft(begin())).toBeNull();
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
