import type { ChatRequest } from '../../models/chat-types.ts';
import type { CheckResult } from '../machine/state.ts';

/**
 * Checks that a program can make with certainty, before anybody has an opinion. Each is required: a draft that fails one
 * is not approved, whatever the reviewer says.
 */
export function runChecks(
  draft: { text: string; finishReason: string },
  request: ChatRequest,
): CheckResult[] {
  return [
    notEmpty(draft.text),
    notCutShort(draft.finishReason),
    ...jsonForm(draft.text, request['response_format']),
  ];
}

function notEmpty(text: string): CheckResult {
  const passed = text.trim() !== '';
  return { name: 'not_empty', passed, detail: passed ? 'The draft has text.' : 'The draft is empty.' };
}

function notCutShort(finishReason: string): CheckResult {
  // A limit that the client set is the client's wish; the reviewer is told, but it fails nothing.
  const cut = finishReason === 'length';
  return {
    name: 'finished',
    passed: true,
    detail: cut
      ? 'The draft ends at the token limit that the client has set.'
      : 'The draft was written to its end.',
  };
}

function jsonForm(text: string, format: unknown): CheckResult[] {
  const { type, json_schema: schema } = (format ?? {}) as {
    type?: unknown;
    json_schema?: { schema?: unknown };
  };
  if (type !== 'json_object' && type !== 'json_schema') return [];
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return [
      {
        name: 'valid_json',
        passed: false,
        detail: `The answer has to be JSON: ${(error as Error).message}.`,
      },
    ];
  }
  const missing = missingFields(value, schema?.schema);
  return [
    { name: 'valid_json', passed: true, detail: 'The answer is JSON.' },
    ...(schema?.schema === undefined
      ? []
      : [
          {
            name: 'required_fields',
            passed: missing.length === 0,
            detail:
              missing.length === 0 ? 'Every required field is there.' : `Missing: ${missing.join(', ')}.`,
          },
        ]),
  ];
}

function missingFields(value: unknown, schema: unknown): string[] {
  const required = (schema as { required?: unknown } | undefined)?.required;
  if (!Array.isArray(required)) return [];
  const given = typeof value === 'object' && value !== null ? value : {};
  return required.filter((name): name is string => typeof name === 'string' && !(name in given));
}
