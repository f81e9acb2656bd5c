import { z } from 'zod';

/**
 * What Beatrice answers to a review. The decision comes first: an answer that is cut short still holds it, and a model
 * that has decided explains the decision instead of arriving at one by writing.
 */
export const verdictSchema = z
  .strictObject({
    decision: z.enum(['approve', 'revise', 'ask_person']),
    issues: z.array(
      z.strictObject({
        /** Empty when the reviewer gave it none. */
        id: z.string().max(64),
        severity: z.enum(['blocker', 'major', 'minor']),
        /** The place in the draft, best quoted. */
        where: z.string(),
        fix: z.string(),
      }),
    ),
    /** Ids of issues of earlier rounds that this draft has settled. */
    resolved: z.array(z.string()),
    criteria: z.array(
      z.strictObject({ id: z.string(), met: z.enum(['yes', 'no', 'unknown']), evidence: z.string() }),
    ),
    lesson: z.string().nullish(),
  })
  .refine(
    (verdict) =>
      verdict.decision !== 'revise' ||
      verdict.issues.length > 0 ||
      verdict.criteria.some((c) => c.met !== 'yes'),
    {
      message: 'a verdict of "revise" has to name at least one issue',
      path: ['issues'],
    },
  );

export type Verdict = z.output<typeof verdictSchema>;
export type VerdictIssue = Verdict['issues'][number];

/** The same as a JSON schema in the form that OpenAI's strict mode takes: every field required, no others. */
export const VERDICT_JSON_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  required: ['decision', 'issues', 'resolved', 'criteria', 'lesson'],
  properties: {
    decision: { type: 'string', enum: ['approve', 'revise', 'ask_person'] },
    issues: {
      type: 'array',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['id', 'severity', 'where', 'fix'],
        properties: {
          id: { type: 'string' },
          severity: { type: 'string', enum: ['blocker', 'major', 'minor'] },
          where: { type: 'string' },
          fix: { type: 'string' },
        },
      },
    },
    resolved: { type: 'array', items: { type: 'string' } },
    criteria: {
      type: 'array',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['id', 'met', 'evidence'],
        properties: {
          id: { type: 'string' },
          met: { type: 'string', enum: ['yes', 'no', 'unknown'] },
          evidence: { type: 'string' },
        },
      },
    },
    lesson: { type: ['string', 'null'] },
  },
} as const;
