import { NO_USAGE } from '../../models/chat-types.ts';
import type { TurnRecord } from '../../store/records.ts';
import type { CycleResult, VerdictSummary } from '../cycle-service.ts';
import { addUsage } from '../machine/budget.ts';
import type { MachineState } from '../machine/state.ts';

const FINISH_REASONS = ['stop', 'length', 'tool_calls', 'content_filter'] as const;

/** What a cycle that rests has come to. */
export function resultOf(cycleId: string, state: MachineState, turns: TurnRecord[]): CycleResult {
  const draft = state.drafts.find(({ round }) => round === state.delivered) ?? null;
  return {
    cycleId,
    outcome: state.outcome ?? 'drained',
    answer: draft?.text ?? '',
    finishReason: FINISH_REASONS.find((reason) => reason === draft?.finishReason) ?? 'stop',
    reason: state.reason,
    rounds: state.drafts.length,
    verdicts: verdictsOf(state),
    usage: addUsage(addUsage(NO_USAGE, state.usage.beatrice), state.usage.codey),
    usageByAgent: { ...state.usage },
    model: draft?.model ?? '',
    turns,
    error: state.fault,
  };
}

export function verdictsOf(state: MachineState): VerdictSummary[] {
  return state.drafts.flatMap(({ round, review }) =>
    review ? [{ round, decision: review.decision, issues: review.open, criteria: review.criteria }] : [],
  );
}
