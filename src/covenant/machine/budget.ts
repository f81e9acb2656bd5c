import type { Usage } from '../../models/chat-types.ts';
import type { CallKind, MachineState } from './state.ts';

/** Tokens set aside for a review before one has been seen: a draft read again, and a verdict of some hundred tokens. */
const FIRST_REVIEW_RESERVE = 1_000;

export function addUsage(a: Usage, b: Usage): Usage {
  return {
    prompt_tokens: a.prompt_tokens + b.prompt_tokens,
    completion_tokens: a.completion_tokens + b.completion_tokens,
    total_tokens: a.total_tokens + b.total_tokens,
  };
}

export function spentTokens(state: MachineState): number {
  return state.usage.beatrice.total_tokens + state.usage.codey.total_tokens;
}

/**
 * Whether a call that is estimated to take so many tokens still fits. Asked before the call, so that nothing is spent
 * past the limit; a review of what is made is kept in reserve.
 */
export function fitsBudget(state: MachineState, call: CallKind, estimatedTokens: number): boolean {
  const limit = state.limits.maxTotalTokens;
  if (limit === null) return true;
  const reserve = call === 'review' ? 0 : Math.max(state.largestReview, FIRST_REVIEW_RESERVE);
  return spentTokens(state) + estimatedTokens + reserve <= limit;
}
