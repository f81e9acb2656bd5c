import type { z } from 'zod';
import type { ChatMessage } from '../../models/chat-types.ts';
import type { ChatProvider } from '../../models/provider.ts';
import { UpstreamError } from '../../models/upstream-error.ts';
import { tolerantObjects } from '../../text/tolerant-json.ts';
import type { CallBudget } from './call-budget.ts';

/** How structure is asked for, from the strictest to none. */
const FORMATS = ['json_schema', 'json_object', 'none'] as const;
type Format = (typeof FORMATS)[number];

export interface StructuredDeps {
  provider: ChatProvider;
  model: string;
  budget: CallBudget;
}

export interface StructuredQuestion<T> {
  messages: ChatMessage[];
  /** Name of the schema, for the provider. */
  name: string;
  /** The schema in the form that strict mode takes. */
  jsonSchema: object;
  /** What counts as an answer. */
  schema: z.ZodType<T>;
  signal: AbortSignal;
}

/** The strictest way that each model of each provider has not refused. */
const knownFormats = new WeakMap<ChatProvider, Map<string, Format>>();

/**
 * Asks for an object of a schema: in strict mode, else as JSON, else in words; reads what comes back tolerantly; when
 * that fails, shows the model its answer and what is wrong with it, once. Null when there is still no answer: then
 * nothing is known, and nothing may be concluded.
 */
export async function askStructured<T>(
  deps: StructuredDeps,
  question: StructuredQuestion<T>,
): Promise<T | null> {
  const first = await call(deps, question, question.messages);
  const read = parse(first, question.schema);
  if (read.ok) return read.value;
  const repair: ChatMessage[] = [
    ...question.messages,
    { role: 'assistant', content: first },
    {
      role: 'user',
      content: `That answer cannot be used: ${read.problem}. Answer again with one JSON object of the form asked for, and nothing else.`,
    },
  ];
  const second = parse(await call(deps, question, repair), question.schema);
  return second.ok ? second.value : null;
}

async function call<T>(
  { provider, model, budget }: StructuredDeps,
  { name, jsonSchema, signal }: StructuredQuestion<T>,
  messages: ChatMessage[],
): Promise<string> {
  const formats = knownFormats.get(provider) ?? new Map<string, Format>();
  knownFormats.set(provider, formats);
  for (;;) {
    const format = formats.get(model) ?? 'json_schema';
    budget.take();
    try {
      const { content } = await provider.chat(
        { model, messages, temperature: 0, ...responseFormat(format, name, jsonSchema) },
        { signal },
      );
      return content;
    } catch (error) {
      const next = FORMATS[FORMATS.indexOf(format) + 1];
      const refused = error instanceof UpstreamError && (error.status === 400 || error.status === 422);
      if (!refused || next === undefined) throw error;
      formats.set(model, next);
    }
  }
}

function responseFormat(format: Format, name: string, schema: object): { response_format?: unknown } {
  if (format === 'none') return {};
  if (format === 'json_object') return { response_format: { type: 'json_object' } };
  return { response_format: { type: 'json_schema', json_schema: { name, strict: true, schema } } };
}

type Parsed<T> = { ok: true; value: T } | { ok: false; problem: string };

/** Of several objects the last that fits: a model that corrects itself does so at the end. */
function parse<T>(text: string, schema: z.ZodType<T>): Parsed<T> {
  const { values, problem } = tolerantObjects(text);
  let why = problem === '' ? 'there is no JSON object in it' : problem;
  for (const value of values.toReversed()) {
    const result = schema.safeParse(value);
    if (result.success) return { ok: true, value: result.data };
    const [issue] = result.error.issues;
    why = `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not of the form'}`;
  }
  return { ok: false, problem: why };
}
