import { Ajv2020 } from 'ajv/dist/2020.js';

/** Problems named to Codey at once: enough to work on, few enough to read. */
const MOST_PROBLEMS = 5;

/**
 * What in a value does not fit a client's JSON schema; empty when it fits, null when the schema itself cannot be used
 * (it is no schema, or points to another document). Schemas come from outside: nothing is fetched, and `pattern` is not
 * looked at, because a regular expression can be written to run for years.
 */
export function schemaProblems(schema: unknown, value: unknown): string[] | null {
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) return null;
  try {
    const { $schema: _dialect, ...rest } = schema as Record<string, unknown>;
    const validate = newAjv().compile(rest);
    if (validate(value)) return [];
    const problems = (validate.errors ?? []).map(
      ({ instancePath, message, params }) =>
        `${instancePath === '' ? 'the answer' : instancePath} ${message ?? 'does not fit'}${about(params)}`,
    );
    const more = problems.length - MOST_PROBLEMS;
    return [...problems.slice(0, MOST_PROBLEMS), ...(more > 0 ? [`and ${String(more)} more`] : [])];
  } catch {
    return null;
  }
}

/** A new one for each schema: two clients may use one `$id` for different schemas, and nothing is kept of either. */
function newAjv(): Ajv2020 {
  return new Ajv2020({
    strict: false,
    allErrors: true,
    validateFormats: false,
    logger: false,
    code: { regExp: Object.assign(() => ({ test: () => true }), { code: 'anything' }) },
  });
}

/** What the message leaves out: the name of a field that is too many, the values that are allowed. */
function about(params: Record<string, unknown>): string {
  const extra = params['additionalProperty'] ?? params['unevaluatedProperty'];
  if (typeof extra === 'string') return `: ${extra}`;
  const allowed = params['allowedValues'];
  return Array.isArray(allowed) ? `: ${allowed.map(String).join(', ').slice(0, 200)}` : '';
}
