import type { LessonRecord, Trials } from '../../store/lesson-store.ts';

/** Trials of each arm before anything is said about the effect of a lesson. */
export const FEWEST_TRIALS = 8;
/** A lesson that helps with a smaller probability than this is retired. */
const RETIRE_BELOW = 0.2;

/**
 * The probability that first drafts are approved more often with a lesson than without it: of two Beta posteriors, each
 * with an even prior Beta(1,1), that one draw of the first is larger than one of the second. Exact: for whole numbers
 * it is a finite sum,
 *
 *   P(p > q) = Σ_{i=0}^{a−1} B(c + i, b + d) / ((b + i) · B(1 + i, b) · B(c, d))
 *
 * for p ~ Beta(a, b), q ~ Beta(c, d).
 */
export function probabilityThatItHelps(withIt: Trials, withoutIt: Trials): number {
  const [a, b] = [1 + withIt.approved, 1 + withIt.trials - withIt.approved];
  const [c, d] = [1 + withoutIt.approved, 1 + withoutIt.trials - withoutIt.approved];
  let sum = 0;
  for (let i = 0; i < a; i += 1) {
    sum += Math.exp(logBeta(c + i, b + d) - Math.log(b + i) - logBeta(1 + i, b) - logBeta(c, d));
  }
  return Math.min(1, sum);
}

/** Whether what was measured speaks against a lesson. A pinned one stays: the person has decided. */
export function isToBeRetired(
  lesson: Pick<LessonRecord, 'pinned' | 'status' | 'withIt' | 'withoutIt'>,
): boolean {
  const { pinned, status, withIt, withoutIt } = lesson;
  if (pinned || status !== 'active') return false;
  if (withIt.trials < FEWEST_TRIALS || withoutIt.trials < FEWEST_TRIALS) return false;
  return probabilityThatItHelps(withIt, withoutIt) < RETIRE_BELOW;
}

function logBeta(a: number, b: number): number {
  return logFactorial(a - 1) + logFactorial(b - 1) - logFactorial(a + b - 1);
}

const LOG_FACTORIALS = [0];

function logFactorial(n: number): number {
  for (let i = LOG_FACTORIALS.length; i <= n; i += 1) {
    LOG_FACTORIALS.push((LOG_FACTORIALS[i - 1] ?? 0) + Math.log(i));
  }
  return LOG_FACTORIALS[n] ?? 0;
}
