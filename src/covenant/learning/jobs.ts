import type { NewJob } from '../../store/records.ts';
import type { MachineState } from '../machine/state.ts';
import type { StoredRequest } from '../runner/stored-request.ts';
import { settledIssues } from './settled-issues.ts';

export const LEARN_FROM_CYCLE = 'learn_from_cycle';

/** Ends after which a cycle does not go on, and in which the work was looked at. */
const TELLING: readonly (string | null)[] = [
  'approved',
  'approved_with_notes',
  'max_rounds',
  'stalled',
  'token_budget',
  'time_budget',
];

/** Learning from a cycle that has ended, stored with its end; none when there is nothing to learn from it. */
export function learnJobs(
  { cycleId, state, stored }: { cycleId: string; state: MachineState; stored: StoredRequest },
  now: number,
): NewJob[] {
  if (!stored.storeTurns || !TELLING.includes(state.outcome)) return [];
  const tried = (stored.lessons?.length ?? 0) > 0 && firstReview(state) !== null;
  if (!tried && settledIssues(state).length === 0) return [];
  return [{ kind: LEARN_FROM_CYCLE, dedupeKey: cycleId, payload: { cycle_id: cycleId }, runAt: now }];
}

/** The review of the first draft: what a lesson is measured by. */
export function firstReview({ drafts }: MachineState): { accepted: boolean } | null {
  return drafts.find(({ round }) => round === 1)?.review ?? null;
}
