import { NO_USAGE } from '../../models/chat-types.ts';
import type { Outcome } from '../cycle-service.ts';
import { spend } from './budget.ts';
import { bestDraft, forgottenIssues, isStalled, reviewOf } from './review-rules.ts';
import type {
  CallKind,
  Command,
  Criterion,
  Draft,
  Limits,
  MachineEvent,
  MachineState,
  Status,
  UpstreamFault,
} from './state.ts';
import { toolsAnswered, toolsCalled } from './tools.ts';

export interface Transition {
  state: MachineState;
  command: Command;
}

type Event<T extends MachineEvent['type']> = Extract<MachineEvent, { type: T }>;

export function initialState(
  input: Partial<Limits> & { maxRevisions: number; criteria: Criterion[]; decideFirst?: boolean },
): MachineState {
  return {
    format: 1,
    status: 'received',
    limits: {
      maxRevisions: input.maxRevisions,
      maxTotalTokens: input.maxTotalTokens ?? null,
      maxSeconds: input.maxSeconds ?? null,
    },
    criteria: input.criteria,
    decideFirst: input.decideFirst ?? false,
    guidance: null,
    drafts: [],
    toolMessages: [],
    unreadable: null,
    usage: { beatrice: NO_USAGE, codey: NO_USAGE },
    largestReview: 0,
    workedMs: 0,
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
  if (state.outcome !== null) return afterRest(state, state.outcome, event);
  switch (event.type) {
    case 'started':
      expectStatus(state, event, 'received');
      return going({ ...state, status: 'guiding' });
    case 'guided':
      expectStatus(state, event, 'guiding');
      return going({ ...spend(state, 'guide', event), status: 'executing', guidance: event.guidance });
    case 'drafted':
      expectStatus(state, event, 'executing', 'revising');
      return drafted(state, event);
    case 'tools_called':
      expectStatus(state, event, 'executing', 'revising');
      return ended(toolsCalled(state, event), 'awaiting_tools', 'Codey calls tools of the client');
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
      expectStatus(state, event, 'reviewing');
      return unreadable(state, event);
    case 'over_budget':
      return ended(
        { ...state, fault: event.fault ?? null },
        event.why ?? 'token_budget',
        event.fault ? sentence(event.fault) : 'The next call would pass the token budget',
      );
    case 'call_failed':
      return ended(
        { ...spend(state, event.call, event), fault: event.fault },
        'upstream_error',
        `The upstream failed: ${sentence(event.fault)}`,
      );
    case 'stopped':
      return ended(
        event.call === null ? state : spend(state, event.call, event),
        event.why,
        STOP_REASONS[event.why],
      );
    case 'tools_answered':
    case 'decided':
    case 'resumed':
      throw new Error(`${event.type} does not fit a cycle at work (${state.status}).`);
  }
}

/** What went wrong, without the full stop at its end: more is said behind it. */
function sentence({ error, status }: UpstreamFault): string {
  return String(error['message'] ?? status).replace(/[.\s]+$/, '');
}

const STOP_REASONS = {
  client_cancelled: 'It was cancelled',
  drained: 'The server was stopped',
  time_budget: 'The time was up',
  token_budget: 'The token budget was spent in the middle of an answer',
} as const;

/** What may still happen to a cycle that rests: those that wait for somebody, or were stopped with the server, go on. */
function afterRest(state: MachineState, outcome: Outcome, event: MachineEvent): Transition {
  if (event.type === 'decided' && outcome === 'awaiting_decision') return decided(state, event);
  if (event.type === 'tools_answered' && outcome === 'awaiting_tools') {
    return going(reopened(toolsAnswered(state, event.results)));
  }
  if (event.type === 'resumed' && outcome === 'drained') return going(reopened(state));
  if (event.type === 'stopped' && mayGoOn(outcome)) {
    return ended(reopened(state), event.why, STOP_REASONS[event.why]);
  }
  throw new Error(`The cycle has ended (${outcome}); ${event.type} does not fit.`);
}

/** True for an end that is only a rest: somebody's word, or a new start of the server, lets the cycle go on. */
export function mayGoOn(outcome: Outcome): boolean {
  return outcome === 'awaiting_decision' || outcome === 'awaiting_tools' || outcome === 'drained';
}

function drafted(state: MachineState, event: Event<'drafted'>): Transition {
  const draft: Draft = {
    round: roundOf(state),
    text: event.text,
    hash: event.hash,
    finishReason: event.finishReason,
    model: event.model,
    checks: [],
    review: null,
  };
  return going({
    ...spend(state, 'draft', event),
    status: 'checking',
    drafts: [...state.drafts, draft],
    steer: null,
  });
}

function reviewed(state: MachineState, event: Event<'reviewed'>): Transition {
  const draft = state.drafts.at(-1);
  if (!draft) throw new Error('A review without a draft.');
  const openBefore = state.drafts.at(-2)?.review?.open ?? [];
  const forgotten = forgottenIssues(event.verdict, openBefore).map(({ id }) => id);
  if (event.verdict.decision === 'approve' && forgotten.length > 0 && state.unreadable === null) {
    // An approval that passes over what was open: the reviewer is asked what has become of it.
    const problem = `it approves, but these open issues are neither in "resolved" nor named again: ${forgotten.join(', ')}`;
    const { usage, ms } = event;
    return unreadable(state, {
      type: 'review_unreadable',
      answer: JSON.stringify(event.verdict),
      problem,
      usage,
      ms,
    });
  }
  const review = reviewOf(event.verdict, draft, openBefore, state.criteria);
  const next = {
    ...withLastDraft(spend(state, 'review', event), (last) => ({ ...last, review })),
    unreadable: null,
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
    return ended(next, 'max_rounds', `No approval after ${rounds(next.drafts.length)}`);
  }
  return going({ ...next, status: 'revising' });
}

/** One more attempt; then the draft goes out unreviewed: a verdict that nobody can read is no verdict on the draft. */
function unreadable(state: MachineState, event: Event<'review_unreadable'>): Transition {
  const { answer, problem } = event;
  const next = spend(state, 'review', event);
  if (state.unreadable === null) return going({ ...next, unreadable: { answer, problem } });
  return ended(
    { ...next, unreadable: null },
    'review_unavailable',
    `Beatrice's review could not be read (${problem})`,
  );
}

/** The person's word on a cycle that waits for it. */
function decided(state: MachineState, event: Event<'decided'>): Transition {
  const open = reopened(state);
  if (event.decision === 'approve') return rested(open, 'approved', 'Approved by the person');
  if (event.decision === 'steer') return going({ ...open, status: 'revising', steer: event.text });
  const rejected = ended(open, 'client_cancelled', 'Rejected by the person').state;
  return going({ ...rejected, delivered: null, reason: 'Rejected by the person. Nothing is delivered.' });
}

/** A resting cycle back at the place where it stood. */
function reopened(state: MachineState): MachineState {
  return { ...state, status: placeOf(state), outcome: null, delivered: null, fault: null, reason: '' };
}

/** Where a cycle stands, by what has been done. */
function placeOf({ guidance, drafts }: MachineState): Status {
  if (guidance === null) return 'guiding';
  const last = drafts.at(-1);
  if (!last) return 'executing';
  if (last.review !== null) return 'revising';
  return last.checks.length === 0 ? 'checking' : 'reviewing';
}

/** Ends that nobody waits for a word on: nothing is delivered, or nothing is finished. */
const WITHOUT_DECISION: ReadonlySet<Outcome> = new Set([
  'client_cancelled',
  'drained',
  'awaiting_tools',
  'awaiting_decision',
]);

/** The end of a cycle; where the person wants to decide first, what would be delivered waits for that. */
function ended(state: MachineState, outcome: Outcome, why: string): Transition {
  const waits = state.decideFirst === true && state.drafts.length > 0 && !WITHOUT_DECISION.has(outcome);
  return waits
    ? rested(state, 'awaiting_decision', `${closed(why)} It waits for the person to decide`)
    : rested(state, outcome, why);
}

function rested(state: MachineState, outcome: Outcome, why: string): Transition {
  // Codey is at work on another draft: the one before it is not what the client is to get now.
  const best = outcome === 'awaiting_tools' ? null : bestDraft(state.drafts);
  return going({
    ...state,
    status: statusOf(outcome),
    outcome,
    delivered: best?.round ?? null,
    reason: outcome === 'awaiting_tools' ? closed(why) : `${closed(why)} ${deliveredSentence(best, outcome)}`,
  });
}

/** An upstream's words may end with a mark of their own. */
function closed(why: string): string {
  return /[!?…]$/.test(why) ? why : `${why}.`;
}

function statusOf(outcome: Outcome): Status {
  if (outcome === 'approved' || outcome === 'approved_with_notes') return 'approved';
  if (outcome === 'awaiting_tools') return 'awaiting_client_tools';
  return outcome === 'awaiting_decision' ? 'awaiting_decision' : 'stopped';
}

function deliveredSentence(draft: Draft | null, outcome: Outcome): string {
  if (!draft) return 'There is no draft.';
  const verb = outcome === 'awaiting_decision' ? 'waits' : 'is delivered';
  const name = `What ${verb} is the draft of round ${String(draft.round)}`;
  if (!draft.review) return `${name}, which was not reviewed.`;
  if (draft.review.accepted) return `${name}.`;
  return `${name}, the best of those that were reviewed; it was not approved.`;
}

function rounds(count: number): string {
  return count === 1 ? '1 round' : `${String(count)} rounds`;
}

function going(state: MachineState): Transition {
  return { state, command: commandFor(state) };
}

/** The round of the draft that is being written. */
export function roundOf(state: MachineState): number {
  return state.drafts.length + 1;
}

/** What has to be done next in a state: also where a cycle goes on after a crash. */
export function commandFor(state: MachineState): Command {
  switch (state.status) {
    case 'received':
    case 'guiding':
      return { type: 'guide', round: 1, repair: false };
    case 'executing':
    case 'revising':
      return { type: 'draft', round: roundOf(state), repair: false };
    case 'checking':
      return { type: 'check', round: state.drafts.length };
    case 'reviewing':
      return { type: 'review', round: state.drafts.length, repair: state.unreadable !== null };
    case 'awaiting_client_tools':
    case 'awaiting_decision':
    case 'approved':
    case 'stopped':
      return { type: 'rest' };
  }
}

export function agentOf(call: CallKind): 'beatrice' | 'codey' {
  return call === 'draft' ? 'codey' : 'beatrice';
}

function withLastDraft(state: MachineState, change: (draft: Draft) => Draft): MachineState {
  const last = state.drafts.at(-1);
  return last ? { ...state, drafts: [...state.drafts.slice(0, -1), change(last)] } : state;
}

function expectStatus(state: MachineState, event: MachineEvent, ...expected: Status[]): void {
  if (!expected.includes(state.status))
    throw new Error(`${event.type} does not fit the state ${state.status}.`);
}
