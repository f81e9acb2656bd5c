import type { VerdictIssue } from '../verdict/verdict-schema.ts';
import type { CheckResult, Criterion } from '../machine/state.ts';

export function criteriaText(criteria: Criterion[]): string {
  return criteria.map(({ id, text }) => `- ${id}: ${text}`).join('\n');
}

export function issuesText(issues: VerdictIssue[]): string {
  return issues
    .map(({ id, severity, where, fix }) => `- ${id} (${severity}) where: ${where} fix: ${fix}`)
    .join('\n');
}

export function checksText(checks: CheckResult[]): string {
  return checks
    .map(({ name, passed, detail }) => `- ${name}: ${passed ? 'passed' : 'FAILED'}. ${detail}`)
    .join('\n');
}
