import type { Verdict, VerdictIssue } from '../verdict/verdict-schema.ts';
import type { Criterion, Draft, Review } from './state.ts';

/** Turns a verdict into a review: code decides what it means, whatever the verdict says of itself. */
export function reviewOf(
  verdict: Verdict,
  draft: Draft,
  openBefore: VerdictIssue[],
  criteria: Criterion[],
): Review {
  const open = openIssues(verdict, openBefore, draft.round);
  const judged = criteria.map(({ id }) => judgement(verdict, id));
  const accepted =
    verdict.decision !== 'ask_person' &&
    !open.some(isSerious) &&
    judged.every(({ met }) => met === 'yes') &&
    failedChecks(draft).length === 0;
  return { decision: verdict.decision, open, criteria: judged, accepted };
}

const WORST_FIRST = ['no', 'unknown', 'yes'] as const;

/** A criterion that the verdict answers twice is as good as its worse answer; one that it forgets is unknown. */
function judgement(verdict: Verdict, id: string): Review['criteria'][number] {
  const said = verdict.criteria.filter((criterion) => criterion.id === id);
  const worst = WORST_FIRST.map((met) => said.find((criterion) => criterion.met === met)).find(Boolean);
  return worst ?? { id, met: 'unknown', evidence: '' };
}

/** An issue stays open until a verdict says by its id that it is resolved. */
function openIssues(verdict: Verdict, before: VerdictIssue[], round: number): VerdictIssue[] {
  const open = new Map(before.map((issue) => [issue.id, issue]));
  for (const id of verdict.resolved) open.delete(id);
  const named = new Set<string>();
  for (const [at, issue] of verdict.issues.entries()) {
    // Without an id it is a new issue of this round; a second one with the same id is another issue, not a correction.
    const own = issue.id === '' ? `r${String(round)}-${String(at + 1)}` : issue.id;
    const id = named.has(own) ? `${own}-${String(at + 1)}` : own;
    named.add(id);
    open.set(id, weighed(withOlder({ ...issue, id }, before)));
  }
  return [...open.values()];
}

/** An issue that is named again in fewer words is the same issue: its place and fix are known. */
function withOlder(issue: VerdictIssue, before: VerdictIssue[]): VerdictIssue {
  const older = before.find(({ id }) => id === issue.id);
  return {
    ...issue,
    where: issue.where.trim() || (older?.where ?? ''),
    fix: issue.fix.trim() || (older?.fix ?? ''),
  };
}

/** Serious issues of earlier rounds that a verdict neither calls resolved nor names again. */
export function forgottenIssues(verdict: Verdict, before: VerdictIssue[]): VerdictIssue[] {
  const named = new Set([...verdict.resolved, ...verdict.issues.map(({ id }) => id)]);
  return before.filter((issue) => isSerious(issue) && !named.has(issue.id));
}

/** A reviewer who cannot say where a fault is and what to do about it has an opinion, not a blocker. */
function weighed(issue: VerdictIssue): VerdictIssue {
  const shown = issue.where.trim() !== '' && issue.fix.trim() !== '';
  return issue.severity !== 'minor' && !shown ? { ...issue, severity: 'minor' } : issue;
}

function failedChecks({ checks }: Draft): string[] {
  return checks.filter(({ passed, required }) => required !== false && !passed).map(({ name }) => name);
}

export function isSerious(issue: VerdictIssue): boolean {
  return issue.severity !== 'minor';
}

/** The two last reviewed drafts are no different in what matters: going on would only cost. */
export function isStalled(drafts: readonly Draft[]): boolean {
  const [before, last] = drafts.slice(-2);
  if (!before?.review || !last?.review) return false;
  if (before.hash === last.hash) return true;
  const standing = (draft: Draft) => {
    const { review } = draft;
    return JSON.stringify([
      failedChecks(draft),
      review?.open
        .filter(isSerious)
        .map(({ id }) => id)
        .sort(),
      review?.criteria
        .filter(({ met }) => met !== 'yes')
        .map(({ id }) => id)
        .sort(),
    ]);
  };
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

function rank(draft: Draft): number[] {
  const { review } = draft;
  const count = (severity: string) => review?.open.filter((issue) => issue.severity === severity).length ?? 0;
  return [
    review?.accepted ? 0 : 1,
    failedChecks(draft).length,
    count('blocker'),
    count('major'),
    review?.criteria.filter(({ met }) => met !== 'yes').length ?? 0,
    count('minor'),
  ];
}
