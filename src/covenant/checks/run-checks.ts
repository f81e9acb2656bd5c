import type { ChatRequest } from '../../models/chat-types.ts';
import type { CheckResult } from '../machine/state.ts';
import { schemaProblems } from './json-schema.ts';

/**
 * Checks that a program can make with certainty, before anybody has an opinion. A draft that fails a required one is not
 * approved, whatever the reviewer says; the others are told to the reviewer.
 */
export function runChecks(
  draft: { text: string; finishReason: string },
  request: ChatRequest,
): CheckResult[] {
  return [
    notEmpty(draft.text),
    notCutShort(draft.finishReason),
    ...jsonForm(draft.text, request['response_format']),
    ...codeBlocks(draft.text),
  ];
}

const required = (name: string, passed: boolean, detail: string): CheckResult => ({
  name,
  passed,
  required: true,
  detail,
});
const told = (name: string, passed: boolean, detail: string): CheckResult => ({
  name,
  passed,
  required: false,
  detail,
});

function notEmpty(text: string): CheckResult {
  const passed = text.trim() !== '';
  return required('not_empty', passed, passed ? 'The draft has text.' : 'The draft is empty.');
}

function notCutShort(finishReason: string): CheckResult {
  // A limit that the client has set is the client's wish: it fails nothing.
  const cut = finishReason === 'length';
  return told(
    'finished',
    !cut,
    cut ? 'The draft ends at the token limit that the client has set.' : 'The draft was written to its end.',
  );
}

interface ResponseFormat {
  type?: unknown;
  json_schema?: { schema?: unknown };
}

function jsonForm(text: string, format: unknown): CheckResult[] {
  const { type, json_schema: schema } = (format ?? {}) as ResponseFormat;
  if (type !== 'json_object' && type !== 'json_schema') return [];
  const read = parsed(text);
  if (!read.ok) {
    return [required('valid_json', false, `The answer has to be JSON and nothing else: ${read.problem}.`)];
  }
  const form = required('valid_json', true, 'The answer is JSON.');
  if (type === 'json_object') {
    const isObject = typeof read.value === 'object' && read.value !== null && !Array.isArray(read.value);
    return [
      form,
      required('json_object', isObject, isObject ? 'It is an object.' : 'It has to be an object.'),
    ];
  }
  const problems = schemaProblems(schema?.schema, read.value);
  if (problems === null)
    return [form, told('json_schema', true, 'The schema could not be used for a check.')];
  const passed = problems.length === 0;
  return [form, required('json_schema', passed, passed ? 'It fits the schema.' : `${problems.join('; ')}.`)];
}

/** A fenced block that says it is JSON. Told only: examples with "…" or comments in them are often meant so. */
function codeBlocks(text: string): CheckResult[] {
  const blocks = [...text.matchAll(/^```json[^\S\n]*\n([\s\S]*?)^```[^\S\n]*$/gm)];
  return blocks.flatMap(([, block = ''], at) => {
    const read = parsed(block);
    return read.ok
      ? []
      : [told('code_block', false, `JSON block ${String(at + 1)} does not parse: ${read.problem}.`)];
  });
}

function parsed(text: string): { ok: true; value: unknown } | { ok: false; problem: string } {
  try {
    return { ok: true, value: JSON.parse(text) as unknown };
  } catch (error) {
    return { ok: false, problem: (error as Error).message };
  }
}
