import { NO_USAGE } from '../../models/chat-types.ts';
import type { Outcome } from '../cycle-service.ts';
import { addUsage } from './budget.ts';
import { bestDraft, isStalled, reviewOf } from './review-rules.ts';
import type { Command, Criterion, Draft, MachineEvent, MachineState } from './state.ts';

export interface Transition {
  state: MachineState;
  command: Command;
}

export function initialState(input: {
  maxRevisions: number;
  maxTotalTokens: number | null;
  criteria: Criterion[];
}): MachineState {
  return {
    format: 1,
    status: 'received',
    limits: { maxRevisions: input.maxRevisions, maxTotalTokens: input.maxTotalTokens },
    criteria: input.criteria,
    guidance: null,
    drafts: [],
    usage: { beatrice: NO_USAGE, codey: NO_USAGE },
    largestReview: 0,
    outcome: null,
    delivered: null,
    reason: '',
    fault: null,
    steer: null,
  };
}

/**
 * All rules of the cycle: what follows from what has happened. Pure: no I/O, no clock, no chance. An event that does not
 * fit the state is refused with an error, because it can only come from a fault in the runner.
 */
export function step(state: MachineState, event: MachineEvent): Transition {
  if (event.type === 'decided') return decided(state, event);
  if (state.outcome !== null)
    throw new Error(`The cycle has ended (${state.outcome}); ${event.type} comes too late.`);
  switch (event.type) {
    case 'started':
      expectStatus(state, event, 'received');
      return going({ ...state, status: 'guiding' });
    case 'guided':
      expectStatus(state, event, 'guiding');
      return going({
        ...spend(state, 'beatrice', event.usage),
        status: 'executing',
        guidance: event.guidance,
      });
    case 'drafted':
      expectStatus(state, event, 'executing', 'revising');
      return drafted(state, event);
    case 'checked':
      expectStatus(state, event, 'checking');
      return going({
        ...withLastDraft(state, (draft) => ({ ...draft, checks: event.results })),
        status: 'reviewing',
      });
    case 'reviewed':
      expectStatus(state, event, 'reviewing');
      return reviewed(state, event);
    case 'review_unreadable':
      return ended(
        spend(state, 'beatrice', event.usage),
        'review_unavailable',
        `Beatrice's review could not be read (${event.problem})`,
      );
    case 'over_budget':
      return ended(state, 'token_budget', 'The next call would pass the token budget');
    case 'call_failed':
      return ended(
        { ...spend(state, agentOf(event.call), event.usage), fault: event.fault },
        'upstream_error',
        `The upstream failed: ${String(event.fault.error['message'] ?? event.fault.status)}`,
      );
    case 'stopped':
      return ended(
        event.call === null ? state : spend(state, agentOf(event.call), event.usage),
        event.why,
        STOP_REASONS[event.why],
      );
  }
}

const STOP_REASONS = {
  client_cancelled: 'It was cancelled',
  drained: 'The server was stopped',
  time_budget: 'The time was up',
} as const;

function drafted(state: MachineState, event: Extract<MachineEvent, { type: 'drafted' }>): Transition {
  const round = state.drafts.length + 1;
  const draft: Draft = {
    round,
    text: event.text,
    hash: event.hash,
    finishReason: event.finishReason,
    model: event.model,
    checks: [],
    review: null,
  };
  return going({
    ...spend(state, 'codey', event.usage),
    status: 'checking',
    drafts: [...state.drafts, draft],
    steer: null,
  });
}

function reviewed(state: MachineState, event: Extract<MachineEvent, { type: 'reviewed' }>): Transition {
  const draft = state.drafts.at(-1);
  if (!draft) throw new Error('A review without a draft.');
  const openBefore = state.drafts.at(-2)?.review?.open ?? [];
  const review = reviewOf(event.verdict, draft, openBefore, state.criteria);
  const next = {
    ...withLastDraft(spend(state, 'beatrice', event.usage), (last) => ({ ...last, review })),
    largestReview: Math.max(state.largestReview, event.usage.total_tokens),
  };
  if (review.accepted) {
    const notes = review.open.length > 0;
    return ended(
      next,
      notes ? 'approved_with_notes' : 'approved',
      notes ? 'Approved with minor notes' : 'Approved',
    );
  }
  if (review.decision === 'ask_person')
    return ended(next, 'awaiting_decision', 'Beatrice asks the person to decide');
  if (isStalled(next.drafts)) return ended(next, 'stalled', 'The last revision changed nothing that matters');
  if (next.drafts.length > state.limits.maxRevisions) {
    return ended(next, 'max_rounds', `No approval after ${String(next.drafts.length)} rounds`);
  }
  return going({ ...next, status: 'revising' });
}

/** The person's word on a cycle that waits for it. */
function decided(state: MachineState, event: Extract<MachineEvent, { type: 'decided' }>): Transition {
  if (state.outcome !== 'awaiting_decision') throw new Error('This cycle does not wait for a decision.');
  const open = { ...state, outcome: null, delivered: null, fault: null, reason: '' };
  if (event.decision === 'approve') return ended(open, 'approved', 'Approved by the person');
  if (event.decision === 'reject') return ended(open, 'client_cancelled', 'Rejected by the person');
  return going({ ...open, status: 'revising', steer: event.text });
}

function ended(state: MachineState, outcome: Outcome, why: string): Transition {
  const best = bestDraft(state.drafts);
  return going({
    ...state,
    status: statusOf(outcome),
    outcome,
    delivered: best?.round ?? null,
    reason: `${why}. ${deliveredSentence(best)}`,
  });
}

function statusOf(outcome: Outcome): MachineState['status'] {
  if (outcome === 'approved' || outcome === 'approved_with_notes') return 'approved';
  return outcome === 'awaiting_decision' ? 'awaiting_decision' : 'stopped';
}

function deliveredSentence(draft: Draft | null): string {
  if (!draft) return 'There is no draft.';
  const name = `the draft of round ${String(draft.round)}`;
  if (!draft.review) return `What is delivered is ${name}, which was not reviewed.`;
  if (draft.review.accepted) return `What is delivered is ${name}.`;
  return `What is delivered is ${name}, the best of those that were reviewed; it was not approved.`;
}

function going(state: MachineState): Transition {
  return { state, command: commandFor(state) };
}

/** What has to be done next in a state: also where a cycle goes on after a crash. */
export function commandFor(state: MachineState): Command {
  switch (state.status) {
    case 'received':
    case 'guiding':
      return { type: 'guide', round: 1 };
    case 'executing':
    case 'revising':
      return { type: 'draft', round: state.drafts.length + 1 };
    case 'checking':
      return { type: 'check', round: state.drafts.length };
    case 'reviewing':
      return { type: 'review', round: state.drafts.length };
    case 'awaiting_decision':
    case 'approved':
    case 'stopped':
      return { type: 'rest' };
  }
}

function spend(
  state: MachineState,
  agent: 'beatrice' | 'codey',
  usage: MachineState['usage']['codey'],
): MachineState {
  return { ...state, usage: { ...state.usage, [agent]: addUsage(state.usage[agent], usage) } };
}

export function agentOf(call: 'guide' | 'draft' | 'review'): 'beatrice' | 'codey' {
  return call === 'draft' ? 'codey' : 'beatrice';
}

function withLastDraft(state: MachineState, change: (draft: Draft) => Draft): MachineState {
  const last = state.drafts.at(-1);
  return last ? { ...state, drafts: [...state.drafts.slice(0, -1), change(last)] } : state;
}

function expectStatus(state: MachineState, event: MachineEvent, ...expected: MachineState['status'][]): void {
  if (!expected.includes(state.status))
    throw new Error(`${event.type} does not fit the state ${state.status}.`);
}
