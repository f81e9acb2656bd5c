import { isSerious } from '../machine/review-rules.ts';
import type { MachineState } from '../machine/state.ts';
import type { VerdictIssue } from '../verdict/verdict-schema.ts';

/** An issue that a draft had, and that a later one, which was accepted, has settled. */
export interface SettledIssue {
  issue: VerdictIssue;
  /** Round of the draft in which it was found. */
  round: number;
}

const ACCEPTED: readonly (string | null)[] = ['approved', 'approved_with_notes'];

/**
 * The issues that were settled on the way to an accepted answer, the worst first. An issue leaves the open ones only when
 * a verdict names it as resolved.
 */
export function settledIssues({ outcome, drafts, delivered }: MachineState): SettledIssue[] {
  const accepted = drafts.find(({ round }) => round === delivered);
  if (!ACCEPTED.includes(outcome) || !accepted?.review) return [];
  const stillOpen = new Set(accepted.review.open.map(({ id }) => id));
  const settled = new Map<string, SettledIssue>();
  for (const { round, review } of drafts) {
    if (round >= accepted.round) break;
    for (const issue of review?.open ?? []) {
      if (!stillOpen.has(issue.id) && !settled.has(issue.id)) settled.set(issue.id, { issue, round });
    }
  }
  return [...settled.values()].sort((a, b) => weight(b.issue) - weight(a.issue));
}

function weight(issue: VerdictIssue): number {
  return issue.severity === 'blocker' ? 2 : Number(isSerious(issue));
}
