import { createHash } from 'node:crypto';
import { countTokens, truncateToTokens } from '../../text/tokens.ts';
import { promptTokens } from '../chat-result.ts';
import type { ChatCompletion, ChatRequest } from '../chat-types.ts';
import { answer } from './answer.ts';
import { guidance } from './guidance.ts';
import { readPrompt } from './prompt-parts.ts';
import { summary } from './summary.ts';
import { verdict } from './verdict.ts';

export const REHEARSAL_MODEL = 'ccc-rehearsal';

/** What the model says to a request: the same for the same request, always. */
export function generate(request: ChatRequest): ChatCompletion {
  const whole = inForm(say(request), request);
  const { text, finishReason } = limited(whole, request);
  const prompt = promptTokens(request.messages);
  const completion = countTokens(text);
  const id = createHash('sha256').update(JSON.stringify(request)).digest('hex').slice(0, 24);
  return {
    id: `chatcmpl-${id}`,
    object: 'chat.completion',
    created: Math.floor(Date.now() / 1000),
    model: REHEARSAL_MODEL,
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: text, refusal: null },
        logprobs: null,
        finish_reason: finishReason,
      },
    ],
    usage: { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion },
  };
}

function say(request: ChatRequest): string {
  const prompt = readPrompt(request);
  switch (prompt.role) {
    case 'guidance':
      return guidance(prompt);
    case 'verdict':
      return verdict(prompt);
    case 'summary':
      return summary(prompt);
    case 'plain':
    case 'draft':
    case 'facts':
    case 'causal':
      return answer(prompt);
  }
}

/** A client that asked for JSON gets JSON: of its schema's text fields, the first one holds the answer. */
function inForm(text: string, request: ChatRequest): string {
  const format = request['response_format'] as
    { type?: string; json_schema?: { schema?: unknown } } | undefined;
  if (format?.type !== 'json_object' && format?.type !== 'json_schema') return text;
  if (isJsonObject(text)) return text;
  const schema = format.type === 'json_schema' ? format.json_schema?.schema : undefined;
  return JSON.stringify(schema === undefined ? { answer: text } : example(schema, text));
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null;
  } catch {
    return false;
  }
}

/** A value that fits a schema, with the answer where it has room for text. */
function example(schema: unknown, text: string): unknown {
  const {
    type,
    enum: choices,
    const: fixed,
    properties,
    items,
    anyOf,
  } = (schema ?? {}) as Record<string, unknown>;
  if (fixed !== undefined) return fixed;
  if (Array.isArray(choices)) return choices[0] as unknown;
  if (Array.isArray(anyOf)) return example(anyOf[0], text);
  const kind = Array.isArray(type) ? (type as unknown[])[0] : type;
  switch (kind) {
    case 'object':
      return Object.fromEntries(
        Object.entries((properties ?? {}) as Record<string, unknown>).map(([key, value]) => [
          key,
          example(value, text),
        ]),
      );
    case 'array':
      return items === undefined ? [] : [example(items, text)];
    case 'string':
      return text;
    case 'number':
    case 'integer':
      return 0;
    case 'boolean':
      return false;
    default:
      return null;
  }
}

/** Ends at a stop text and at the token limit, whichever comes first. */
function limited(whole: string, request: ChatRequest): { text: string; finishReason: 'stop' | 'length' } {
  const stops = [request['stop'] ?? []]
    .flat()
    .filter((stop): stop is string => typeof stop === 'string' && stop !== '');
  const ends = stops.map((stop) => whole.indexOf(stop)).filter((at) => at !== -1);
  const stopped = ends.length > 0 ? whole.slice(0, Math.min(...ends)) : whole;
  const limit = request['max_completion_tokens'] ?? request['max_tokens'];
  if (typeof limit !== 'number' || countTokens(stopped) <= limit)
    return { text: stopped, finishReason: 'stop' };
  return { text: truncateToTokens(stopped, limit), finishReason: 'length' };
}
