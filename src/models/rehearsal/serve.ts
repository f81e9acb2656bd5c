import { Readable } from 'node:stream';
import type { ChatRequest } from '../chat-types.ts';
import type { ForwardRequest, ForwardResponse } from '../provider.ts';
import { chunksOf } from './chunks.ts';
import { generate, REHEARSAL_MODEL } from './generate.ts';

const MODEL = { id: REHEARSAL_MODEL, object: 'model', created: 0, owned_by: 'ccc' } as const;

/** Serves OpenAI's API from this process, in its own format: what `/v1` passes on to. */
export async function serve(request: ForwardRequest): Promise<ForwardResponse> {
  const path = request.path.split('?', 1)[0];
  const method = request.method;
  if (method === 'GET' && path === '/models') return json(200, { object: 'list', data: [MODEL] });
  if (method === 'GET' && path?.startsWith('/models/')) {
    return decodeURIComponent(path.slice('/models/'.length)) === REHEARSAL_MODEL
      ? json(200, MODEL)
      : failure(404, `The rehearsal provider has one model: ${REHEARSAL_MODEL}.`, 'model_not_found', 'model');
  }
  const body = await readJson(request.body);
  if (body === null) return failure(400, 'The body is not a JSON object.', 'invalid_json', null);
  if (path === '/chat/completions') return chat(body);
  if (path === '/completions') return completion(body);
  return failure(
    404,
    'The rehearsal provider does not offer this. Connect a model with OPENAI_API_KEY or OPENAI_BASE_URL.',
    'not_offered',
    null,
  );
}

function chat(body: Record<string, unknown>): ForwardResponse {
  const wrong = problemOf(body);
  if (wrong) return failure(400, wrong.message, 'invalid_request', wrong.param);
  const request = body as ChatRequest;
  const answer = generate(request);
  if (body['stream'] !== true) return json(200, answer);
  const usage = (body['stream_options'] as { include_usage?: unknown } | undefined)?.include_usage === true;
  return eventStream(chunksOf(answer, usage));
}

/** The older endpoint: one prompt, one text. */
function completion(body: Record<string, unknown>): ForwardResponse {
  const { prompt, ...rest } = body;
  if (typeof prompt !== 'string') return failure(400, 'prompt: must be a text.', 'invalid_request', 'prompt');
  const answer = generate({ ...rest, model: REHEARSAL_MODEL, messages: [{ role: 'user', content: prompt }] });
  const { id, created, model, usage } = answer;
  const text = answer.choices[0]?.message.content ?? '';
  const finish_reason = answer.choices[0]?.finish_reason ?? 'stop';
  const envelope = { id: id.replace('chatcmpl', 'cmpl'), object: 'text_completion', created, model };
  const whole = { ...envelope, choices: [{ index: 0, text, logprobs: null, finish_reason }], usage };
  return body['stream'] === true ? eventStream([whole]) : json(200, whole);
}

function problemOf(body: Record<string, unknown>): { message: string; param: string } | null {
  const { messages, n } = body;
  if (!Array.isArray(messages) || messages.length === 0) {
    return { message: 'messages: must be a list with at least one message.', param: 'messages' };
  }
  const wrong = messages.findIndex(
    (message: unknown) => typeof (message as { role?: unknown } | null)?.role !== 'string',
  );
  if (wrong !== -1) return { message: 'role: must be a text.', param: `messages.${String(wrong)}.role` };
  if (n !== undefined && n !== null && n !== 1) {
    return { message: 'n: the rehearsal model gives one answer.', param: 'n' };
  }
  return null;
}

async function readJson(body: ForwardRequest['body']): Promise<Record<string, unknown> | null> {
  if (body === null) return null;
  const parts: Buffer[] = [];
  for await (const part of Buffer.isBuffer(body) ? [body] : body) parts.push(part as Buffer);
  try {
    const value: unknown = JSON.parse(Buffer.concat(parts).toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}

function json(status: number, value: unknown): ForwardResponse {
  const bytes = Buffer.from(JSON.stringify(value));
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', 'content-length': String(bytes.length) },
    body: Readable.from([bytes]),
  };
}

function failure(status: number, message: string, code: string, param: string | null): ForwardResponse {
  return json(status, { error: { message, type: 'invalid_request_error', code, param } });
}

function eventStream(events: Iterable<unknown>): ForwardResponse {
  const lines = function* () {
    for (const event of events) yield Buffer.from(`data: ${JSON.stringify(event)}\n\n`);
    yield Buffer.from('data: [DONE]\n\n');
  };
  return {
    status: 200,
    headers: { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' },
    body: Readable.from(lines(), { objectMode: false }),
  };
}
