import type { Verdict, VerdictIssue } from '../verdict/verdict-schema.ts';
import type { Criterion, Draft, Review } from './state.ts';

/** Turns a verdict into a review: code decides what it means, whatever the verdict says of itself. */
export function reviewOf(
  verdict: Verdict,
  draft: Draft,
  openBefore: VerdictIssue[],
  criteria: Criterion[],
): Review {
  const open = openIssues(verdict, openBefore);
  const judged = criteria.map(({ id }) => {
    const said = verdict.criteria.find((criterion) => criterion.id === id);
    return said ?? { id, met: 'unknown' as const, evidence: '' };
  });
  const accepted =
    verdict.decision !== 'ask_person' &&
    !open.some(isSerious) &&
    judged.every(({ met }) => met === 'yes') &&
    draft.checks.every(({ passed }) => passed);
  return { decision: verdict.decision, open, criteria: judged, accepted };
}

/** An issue stays open until a verdict says by its id that it is resolved. */
function openIssues(verdict: Verdict, before: VerdictIssue[]): VerdictIssue[] {
  const open = new Map(before.map((issue) => [issue.id, issue]));
  for (const id of verdict.resolved) open.delete(id);
  for (const issue of verdict.issues) open.set(issue.id, weighed(issue));
  return [...open.values()];
}

/** A reviewer who cannot say where a fault is and what to do about it has an opinion, not a blocker. */
function weighed(issue: VerdictIssue): VerdictIssue {
  const shown = issue.where.trim() !== '' && issue.fix.trim() !== '';
  return issue.severity !== 'minor' && !shown ? { ...issue, severity: 'minor' } : issue;
}

export function isSerious(issue: VerdictIssue): boolean {
  return issue.severity !== 'minor';
}

/** The two last reviewed drafts are no different in what matters: going on would only cost. */
export function isStalled(drafts: readonly Draft[]): boolean {
  const [before, last] = drafts.slice(-2);
  if (!before?.review || !last?.review) return false;
  if (before.hash === last.hash) return true;
  const standing = ({ review }: Draft) =>
    JSON.stringify([
      review?.open
        .filter(isSerious)
        .map(({ id }) => id)
        .sort(),
      review?.criteria
        .filter(({ met }) => met !== 'yes')
        .map(({ id }) => id)
        .sort(),
    ]);
  return standing(before) === standing(last);
}

/**
 * The draft to deliver: an accepted one, else the reviewed one with the fewest blockers, then the fewest major issues,
 * failed checks and unmet criteria, the later one when equal; an unreviewed one only when none was reviewed.
 */
export function bestDraft(drafts: readonly Draft[]): Draft | null {
  const reviewed = drafts.filter(({ review }) => review !== null);
  const ranked = [...(reviewed.length > 0 ? reviewed : drafts)].sort((a, b) => {
    const [rankA, rankB] = [rank(a), rank(b)];
    const at = rankA.findIndex((value, index) => value !== rankB[index]);
    return at === -1 ? b.round - a.round : (rankA[at] ?? 0) - (rankB[at] ?? 0);
  });
  return ranked[0] ?? null;
}

function rank({ review, checks }: Draft): number[] {
  const count = (severity: string) => review?.open.filter((issue) => issue.severity === severity).length ?? 0;
  return [
    review?.accepted ? 0 : 1,
    checks.filter(({ passed }) => !passed).length,
    count('blocker'),
    count('major'),
    review?.criteria.filter(({ met }) => met !== 'yes').length ?? 0,
    count('minor'),
  ];
}
