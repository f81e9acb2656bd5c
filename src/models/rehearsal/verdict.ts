import { analyse, analyseQuery } from '../../text/analyse.ts';
import { readSection } from '../../text/sections.ts';
import { contains, countPoints, countWords, demandsOf } from './demands.ts';
import type { PromptParts } from './prompt-parts.ts';

interface Issue {
  id: string;
  severity: 'blocker' | 'major' | 'minor';
  where: string;
  fix: string;
}

interface Criterion {
  id: string;
  met: 'yes' | 'no' | 'unknown';
  evidence: string;
}

/** Longest quotation of a draft in a verdict, in characters. */
const QUOTE = 80;

/**
 * A verdict from what can be counted and looked up: points asked for and given, limits, words that have to be there or
 * must not, checks that failed, criteria. What it cannot judge by words it leaves to a real model.
 */
export function verdict({ whole }: PromptParts): string {
  const directive = readSection(whole, 'directive') ?? '';
  const draft = readSection(whole, 'draft') ?? '';
  const criteria = criteriaOf(readSection(whole, 'criteria') ?? '').map((criterion) =>
    judge(criterion, draft),
  );
  const issues = [
    ...faults(directive, draft),
    ...failedChecks(readSection(whole, 'checks') ?? ''),
    ...unmet(criteria),
  ];
  const open = new Set(issues.map(({ id }) => id));
  return JSON.stringify({
    decision: issues.length === 0 ? 'approve' : 'revise',
    issues,
    resolved: idsOf(readSection(whole, 'issues') ?? '').filter((id) => !open.has(id)),
    criteria,
    lesson: issues[0] ? `When asked again: ${issues[0].fix}` : null,
  });
}

function faults(directive: string, draft: string): Issue[] {
  const demands = demandsOf(directive);
  const issues: Issue[] = [];
  const where = quote(draft);
  const fault = (id: string, fix: string) => issues.push({ id, severity: 'major', where, fix });
  if (draft.trim() === '') fault('empty', 'Write an answer.');
  const points = countPoints(draft);
  if (demands.points !== null && points !== demands.points) {
    fault('points', `Give ${String(demands.points)} points as a list; there are ${String(points)}.`);
  }
  const words = countWords(draft);
  if (demands.maxWords !== null && words > demands.maxWords) {
    fault('too-long', `Write at most ${String(demands.maxWords)} words; there are ${String(words)}.`);
  }
  if (demands.minWords !== null && words < demands.minWords) {
    fault('too-short', `Write at least ${String(demands.minWords)} words; there are ${String(words)}.`);
  }
  for (const wanted of demands.mentions) {
    if (!contains(draft, wanted)) fault(`mention-${slug(wanted)}`, `Mention "${wanted}".`);
  }
  for (const unwanted of demands.avoids) {
    if (contains(draft, unwanted)) fault(`avoid-${slug(unwanted)}`, `Do not mention "${unwanted}".`);
  }
  return issues;
}

function failedChecks(checks: string): Issue[] {
  return [...checks.matchAll(/^- (\w+): FAILED\. (.*)$/gm)].map(([, name = '', detail = '']) => ({
    id: `check-${name}`,
    severity: 'major',
    where: `check ${name}`,
    fix: detail,
  }));
}

function unmet(criteria: Criterion[]): Issue[] {
  return criteria
    .filter(({ met }) => met === 'no')
    .map(({ id, evidence }) => ({
      id: `criterion-${id}`,
      severity: 'major',
      where: `criterion ${id}`,
      fix: evidence,
    }));
}

function criteriaOf(text: string): { id: string; text: string }[] {
  return [...text.matchAll(/^- ([^:\n]+): (.*)$/gm)].map(([, id = '', rest = '']) => ({ id, text: rest }));
}

/** By its countable demands when it has any, else by whether the draft holds its telling words. */
function judge({ id, text }: { id: string; text: string }, draft: string): Criterion {
  const found = faults(text, draft);
  const demands = demandsOf(text);
  const countable =
    demands.points ??
    demands.maxWords ??
    demands.minWords ??
    demands.mentions[0] ??
    demands.avoids[0] ??
    null;
  if (countable !== null) {
    return found[0] ? { id, met: 'no', evidence: found[0].fix } : { id, met: 'yes', evidence: quote(draft) };
  }
  const held = new Set(analyse(draft).terms.map(([term]) => term));
  const missing = analyseQuery(text).filter((term) => !held.has(term));
  if (missing.length === 0) return { id, met: 'yes', evidence: quote(draft) };
  return { id, met: 'unknown', evidence: 'The rehearsal model cannot judge this by words.' };
}

function idsOf(issues: string): string[] {
  return [...issues.matchAll(/^- (\S+) \(/gm)].map(([, id = '']) => id);
}

function quote(text: string): string {
  const flat = text.replaceAll(/\s+/g, ' ').trim();
  return flat.length > QUOTE ? `${flat.slice(0, QUOTE)}…` : flat || '(empty)';
}

function slug(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, '-')
    .slice(0, 40);
}
