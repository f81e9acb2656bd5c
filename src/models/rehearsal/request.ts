import type { ChatMessage } from '../chat-types.ts';
import { UpstreamError } from '../upstream-error.ts';

/** A request as far as the rehearsal model obeys it. */
export interface RehearsalRequest {
  messages: ChatMessage[];
  stop: string[];
  /** Null: as much as there is to say. */
  maxTokens: number | null;
  /** How many answers; a deterministic model gives the same one each time. */
  n: number;
  stream: boolean;
  includeUsage: boolean;
  format: { kind: 'text' } | { kind: 'json_object' } | { kind: 'json_schema'; schema: unknown };
}

const ROLES = ['system', 'developer', 'user', 'assistant', 'tool', 'function'];
const MOST_CHOICES = 128;
const MOST_STOPS = 4;

/** Reads a chat body as OpenAI would, refusing what OpenAI refuses. @throws {UpstreamError} 400, OpenAI-shaped */
export function readRequest(body: Record<string, unknown>): RehearsalRequest {
  const { messages, tool_choice: toolChoice } = body;
  if (body['model'] !== undefined && typeof body['model'] !== 'string')
    throw wrong('model', 'must be a string');
  if (!Array.isArray(messages)) throw wrong('messages', 'must be an array of messages');
  if (messages.length === 0) throw wrong('messages', 'must hold at least one message');
  messages.forEach(checkMessage);
  if (toolChoice === 'required' || (isObject(toolChoice) && toolChoice['type'] !== 'allowed_tools')) {
    throw wrong('tool_choice', 'cannot be obeyed: ccc-rehearsal calls no tools', 'unsupported_value');
  }
  return {
    messages: messages as ChatMessage[],
    ...readCommon(body),
    format: readFormat(body['response_format']),
  };
}

/** The fields that chat and the older completions share. @throws {UpstreamError} */
export function readCommon(body: Record<string, unknown>): Omit<RehearsalRequest, 'messages' | 'format'> {
  const maxTokens = wholeNumber(body, 'max_completion_tokens', 1) ?? wholeNumber(body, 'max_tokens', 1);
  const n = wholeNumber(body, 'n', 1) ?? 1;
  if (n > MOST_CHOICES) throw wrong('n', `must be at most ${String(MOST_CHOICES)}`);
  const stream = flag(body, 'stream');
  const options = body['stream_options'] ?? null;
  if (options !== null && !isObject(options)) throw wrong('stream_options', 'must be an object');
  if (options !== null && !stream) throw wrong('stream_options', 'is only allowed when stream is true');
  return {
    stop: readStop(body['stop'] ?? []),
    maxTokens,
    n,
    stream,
    includeUsage: options !== null && flag(options, 'include_usage'),
  };
}

function checkMessage(message: unknown, at: number): void {
  const param = `messages.${String(at)}`;
  if (!isObject(message)) throw wrong(param, 'must be an object');
  if (typeof message['role'] !== 'string') throw wrong(`${param}.role`, 'must be a string');
  if (!ROLES.includes(message['role'])) throw wrong(`${param}.role`, `must be one of ${ROLES.join(', ')}`);
  const { content } = message;
  if (typeof content === 'string') return;
  if (Array.isArray(content)) {
    content.forEach((part: unknown, place) => {
      if (isObject(part) && typeof part['type'] === 'string') return;
      throw wrong(`${param}.content.${String(place)}`, 'must be an object with a type');
    });
    return;
  }
  // An assistant that only called tools said nothing.
  if ((content === null || content === undefined) && message['role'] === 'assistant') return;
  throw wrong(`${param}.content`, 'must be a string or an array of content parts');
}

function readStop(value: unknown): string[] {
  const stops: unknown[] = [value].flat();
  if (stops.length > MOST_STOPS) throw wrong('stop', `must hold at most ${String(MOST_STOPS)} texts`);
  return stops
    .map((stop) => {
      if (typeof stop !== 'string') throw wrong('stop', 'must be a string or an array of strings');
      return stop;
    })
    .filter((stop) => stop !== '');
}

function readFormat(value: unknown): RehearsalRequest['format'] {
  if (value === undefined || value === null) return { kind: 'text' };
  const type = isObject(value) ? value['type'] : undefined;
  if (type === 'text' || type === 'json_object') return { kind: type };
  if (type !== 'json_schema') throw wrong('response_format.type', 'must be text, json_object or json_schema');
  const wrapper = (value as Record<string, unknown>)['json_schema'];
  if (!isObject(wrapper)) throw wrong('response_format.json_schema', 'must be an object');
  return { kind: 'json_schema', schema: wrapper['schema'] };
}

function wholeNumber(body: Record<string, unknown>, name: string, min: number): number | null {
  const value = body[name] ?? null;
  if (value === null) return null;
  if (typeof value !== 'number' || !Number.isInteger(value)) throw wrong(name, 'must be an integer');
  if (value < min) throw wrong(name, `must be at least ${String(min)}`, 'integer_below_min_value');
  return value;
}

function flag(body: Record<string, unknown>, name: string): boolean {
  const value = body[name] ?? false;
  if (typeof value !== 'boolean') throw wrong(name, 'must be true or false');
  return value;
}

export function wrong(param: string, what: string, code: string | null = null): UpstreamError {
  return new UpstreamError(400, {
    message: `Invalid '${param}': it ${what}.`,
    type: 'invalid_request_error',
    param,
    code,
  });
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
