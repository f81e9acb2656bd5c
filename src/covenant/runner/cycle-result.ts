import type { Usage } from '../../models/chat-types.ts';
import type { TurnRecord } from '../../store/records.ts';
import type { CycleResult, Outcome, VerdictSummary } from '../cycle-service.ts';
import { addUsage } from '../machine/budget.ts';
import type { Draft, MachineState } from '../machine/state.ts';
import { pendingCall } from '../machine/tools.ts';

const FINISH_REASONS = ['stop', 'length', 'tool_calls', 'content_filter'] as const;

/** Ends at which the person has not decided yet. */
const UNDECIDED: readonly (Outcome | null)[] = ['awaiting_decision', 'drained', 'client_cancelled'];

/**
 * What a cycle that rests has come to.
 * @param before what had been spent before this run began: a request is told what it has cost itself
 */
export function resultOf(
  cycleId: string,
  state: MachineState,
  turns: TurnRecord[],
  before: MachineState['usage'],
): CycleResult {
  const draft = state.drafts.find(({ round }) => round === state.delivered) ?? null;
  const call = pendingCall(state);
  const calls = Array.isArray(call?.tool_calls) ? (call.tool_calls as unknown[]) : null;
  // Where the person decides before delivery, what waits is not delivered.
  const withheld = state.decideFirst === true && UNDECIDED.includes(state.outcome);
  const said = typeof call?.content === 'string' ? call.content : '';
  const usageByAgent = {
    beatrice: difference(state.usage.beatrice, before.beatrice),
    codey: difference(state.usage.codey, before.codey),
  };
  return {
    cycleId,
    outcome: state.outcome ?? 'drained',
    answer: call ? said : withheld ? '' : (draft?.text ?? ''),
    toolCalls: calls,
    finishReason: calls ? 'tool_calls' : withheld ? 'stop' : finishReasonOf(draft, state.outcome),
    reason: state.reason,
    rounds: state.drafts.length,
    verdicts: verdictsOf(state),
    usage: addUsage(usageByAgent.beatrice, usageByAgent.codey),
    usageByAgent,
    model: draft?.model ?? '',
    turns,
    draftHash: state.outcome === 'awaiting_decision' ? (draft?.hash ?? null) : null,
    error: withheld ? null : state.fault,
  };
}

/** A limit that left no room for a draft cuts the answer short before its first word. */
function finishReasonOf(draft: Draft | null, outcome: MachineState['outcome']): CycleResult['finishReason'] {
  if (!draft) return outcome === 'token_budget' || outcome === 'time_budget' ? 'length' : 'stop';
  return FINISH_REASONS.find((reason) => reason === draft.finishReason) ?? 'stop';
}

function difference(a: Usage, b: Usage): Usage {
  return {
    prompt_tokens: a.prompt_tokens - b.prompt_tokens,
    completion_tokens: a.completion_tokens - b.completion_tokens,
    total_tokens: a.total_tokens - b.total_tokens,
  };
}

export function verdictsOf(state: MachineState): VerdictSummary[] {
  return state.drafts.flatMap(({ round, review }) =>
    review ? [{ round, decision: review.decision, issues: review.open, criteria: review.criteria }] : [],
  );
}
