import type { z } from 'zod';
import { tolerantObjects } from '../../text/tolerant-json.ts';
import { verdictSchema, type Verdict } from './verdict-schema.ts';

export type ParsedVerdict = { ok: true; verdict: Verdict } | { ok: false; problem: string };

/**
 * Reads a verdict from what a model wrote. Wrapping and missing empty lists are forgiven; a missing or unknown decision
 * never is, and words such as "approved" outside the object count for nothing. Several verdicts count when they agree.
 *
 * @param shown what the reviewer was shown, the draft above all: a verdict that is quoted from there is not their own
 */
export function parseVerdict(text: string, shown = ''): ParsedVerdict {
  const read = tolerantObjects(text);
  const values = isObjectAlone(text) ? read.values : withoutQuoted(read.values, shown);
  const problem =
    values.length < read.values.length && values.length === 0
      ? 'the only verdict in the answer is quoted from what was to be reviewed'
      : read.problem;
  const verdicts: Verdict[] = [];
  let why = problem;
  for (const value of values) {
    const result = verdictSchema.safeParse(withoutGaps(value));
    if (result.success) verdicts.push(result.data);
    else why = describe(result.error);
  }
  const verdict = verdicts.at(-1);
  if (!verdict) return { ok: false, problem: why === '' ? 'there is no verdict in the answer' : why };
  if (verdicts.some(({ decision }) => decision !== verdict.decision)) {
    return { ok: false, problem: 'the answer holds several verdicts that contradict each other' };
  }
  return { ok: true, verdict };
}

/** The answer is one object and nothing else: the reviewer's, whatever it was shown. */
function isObjectAlone(text: string): boolean {
  const bare = text.trim().replace(/^```(?:json)?\s*|\s*```$/g, '');
  return bare.startsWith('{') && bare.endsWith('}') && tolerantObjects(bare).values.length === 1;
}

function withoutQuoted(values: Record<string, unknown>[], shown: string): Record<string, unknown>[] {
  if (values.length === 0 || !shown.includes('{')) return values;
  const quoted = new Set(tolerantObjects(shown).values.map((value) => JSON.stringify(value)));
  return values.filter((value) => !quoted.has(JSON.stringify(value)));
}

function describe(error: z.ZodError): string {
  const [issue] = error.issues;
  return `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not a verdict'}`;
}

/** Fields a model leaves out when they would be empty are filled in; fields it made up are dropped. */
function withoutGaps(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const {
    decision,
    issues = [],
    resolved = [],
    criteria = [],
    lesson = null,
  } = value as Record<string, unknown>;
  return {
    decision,
    issues: listOf(issues, (issue) => ({
      id: textOr(issue['id'], ''),
      severity: issue['severity'],
      where: textOr(issue['where'], ''),
      fix: textOr(issue['fix'], ''),
    })),
    resolved: resolved ?? [],
    criteria: listOf(criteria, (criterion) => ({
      id: textOr(criterion['id'], ''),
      met: typeof criterion['met'] === 'boolean' ? (criterion['met'] ? 'yes' : 'no') : criterion['met'],
      evidence: textOr(criterion['evidence'], ''),
    })),
    lesson,
  };
}

function listOf(value: unknown, read: (item: Record<string, unknown>) => unknown): unknown {
  if (value === null) return [];
  if (!Array.isArray(value)) return value;
  return value.map((item: unknown) =>
    typeof item === 'object' && item !== null ? read(item as Record<string, unknown>) : item,
  );
}

function textOr(value: unknown, instead: string): unknown {
  if (value === undefined || value === null) return instead;
  return typeof value === 'number' ? String(value) : value;
}
