import type { ChatRequest } from '../../models/chat-types.ts';
import { textOf } from '../../models/chat-result.ts';
import type { CheckResult, ToolMessage } from '../machine/state.ts';
import { askedForm } from './asked-form.ts';
import { required, told } from './check.ts';
import { codeBlocks } from './code-blocks.ts';
import { schemaProblems } from './json-schema.ts';
import { memorySays, type MemoryEvidence } from './memory-says.ts';
import { quotes } from './quotes.ts';

/** What a draft was written from: all of it is stored with the cycle, so that a check after a restart is the same. */
export interface CheckContext {
  request: ChatRequest;
  directive?: string;
  /** What memory had added to the prompt. */
  memory?: string | null;
  evidence?: MemoryEvidence | undefined;
  /** What Codey's tools were asked and have answered. */
  toolMessages?: ToolMessage[];
}

/**
 * Checks that a program can make with certainty, before anybody has an opinion. A draft that fails a required one is not
 * approved, whatever the reviewer says; the others are told to the reviewer.
 */
export function runChecks(
  draft: { text: string; finishReason: string },
  context: CheckContext,
): CheckResult[] {
  const format = context.request['response_format'];
  return [
    notEmpty(draft.text),
    notCutShort(draft.finishReason),
    ...jsonForm(draft.text, format),
    ...askedForm(context.directive ?? '', draft.text, isJsonFormat(format)),
    ...codeBlocks(draft.text),
    ...quotes(draft.text, () => given(context)),
    ...(context.evidence ? memorySays(draft.text, context.evidence) : []),
  ];
}

/** Everything that a draft can quote from. */
function given({ request, directive = '', memory, toolMessages = [] }: CheckContext): string {
  const said = [...request.messages, ...toolMessages.map(({ message }) => message)].map(textOf);
  return [memory ?? '', directive, ...said].join('\n');
}

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

function isJsonFormat(format: unknown): boolean {
  const { type } = (format ?? {}) as ResponseFormat;
  return type === 'json_object' || type === 'json_schema';
}

function jsonForm(text: string, format: unknown): CheckResult[] {
  const { type, json_schema: schema } = (format ?? {}) as ResponseFormat;
  if (!isJsonFormat(format)) return [];
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

function parsed(text: string): { ok: true; value: unknown } | { ok: false; problem: string } {
  try {
    return { ok: true, value: JSON.parse(text) as unknown };
  } catch (error) {
    return { ok: false, problem: (error as Error).message };
  }
}
