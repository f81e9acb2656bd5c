import type { Usage } from '../../models/chat-types.ts';
import type { Amount } from '../../store/budget-store.ts';
import type { CallKind, Cost, MachineState } from './state.ts';

/** Tokens set aside for a review when nothing is known of it: a draft read again, and a verdict of some hundred tokens. */
const SMALLEST_REVIEW_RESERVE = 1_000;

export function addUsage(a: Usage, b: Usage): Usage {
  return {
    prompt_tokens: a.prompt_tokens + b.prompt_tokens,
    completion_tokens: a.completion_tokens + b.completion_tokens,
    total_tokens: a.total_tokens + b.total_tokens,
  };
}

/** Settles a call: what it has really cost. */
export function spend(state: MachineState, call: CallKind, { usage, ms }: Cost): MachineState {
  const agent = call === 'draft' ? 'codey' : 'beatrice';
  return {
    ...state,
    workedMs: state.workedMs + ms,
    usage: { ...state.usage, [agent]: addUsage(state.usage[agent], usage) },
  };
}

export function spentTokens(state: MachineState): number {
  return state.usage.beatrice.total_tokens + state.usage.codey.total_tokens;
}

/** What lies between two states of a cycle. */
export function costOf(before: MachineState, after: MachineState): Amount {
  return {
    tokens: spentTokens(after) - spentTokens(before),
    ms: after.workedMs - before.workedMs,
    rounds: after.drafts.length - before.drafts.length,
  };
}

/**
 * Tokens that a call may take, so that what has to follow it still fits; null when there is no limit.
 * @param reserve estimated tokens of what has to follow: of a draft, its review
 */
export function tokensLeft(state: MachineState, call: CallKind, reserve = 0): number | null {
  const limit = state.limits.maxTotalTokens;
  if (limit === null) return null;
  const kept = call === 'review' ? 0 : Math.max(reserve, state.largestReview, SMALLEST_REVIEW_RESERVE);
  return limit - spentTokens(state) - kept;
}

/**
 * Whether a call that is estimated to take so many tokens still fits. Asked before the call, so that nothing is spent
 * past the limit; a review of what is made is kept in reserve.
 */
export function fitsBudget(
  state: MachineState,
  call: CallKind,
  estimatedTokens: number,
  reserve = 0,
): boolean {
  const left = tokensLeft(state, call, reserve);
  return left === null || estimatedTokens <= left;
}

/** Working time that is left, in milliseconds; null when there is no limit. */
export function msLeft(state: MachineState): number | null {
  const { maxSeconds } = state.limits;
  return maxSeconds === null ? null : Math.max(0, maxSeconds * 1000 - state.workedMs);
}
