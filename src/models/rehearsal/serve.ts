import { Readable } from 'node:stream';
import type { ForwardRequest, ForwardResponse } from '../provider.ts';
import { UpstreamError } from '../upstream-error.ts';
import { generate, REHEARSAL_MODEL } from './generate.ts';
import { isObject, readCommon, readRequest, wrong } from './request.ts';
import { chunksOf, completionOf, textChunksOf, textCompletionOf } from './wire.ts';

/** `created` is the day on which the model was first written down, in seconds. */
const MODEL = {
  id: REHEARSAL_MODEL,
  object: 'model',
  created: 1_795_392_000,
  owned_by: 'covenant-command-cycle',
} as const;

/** Tokens of an answer on the older endpoint when the request names none: OpenAI's default there. */
const OLD_DEFAULT_TOKENS = 16;

/** Serves OpenAI's API from this process, in its own format: what `/v1` passes on to. */
export async function serve(request: ForwardRequest, signal: AbortSignal): Promise<ForwardResponse> {
  try {
    return await route(request, signal);
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    return json(error.status, { error: error.error });
  }
}

async function route({ method, path, body }: ForwardRequest, signal: AbortSignal): Promise<ForwardResponse> {
  const [place = ''] = path.split('?', 1);
  if (method === 'GET' && place === '/models') return json(200, { object: 'list', data: [MODEL] });
  if (method === 'GET' && place.startsWith('/models/')) return model(place.slice('/models/'.length));
  if (method === 'POST' && place === '/chat/completions') return chat(await readJson(body), signal);
  if (method === 'POST' && place === '/completions') return completions(await readJson(body), signal);
  throw new UpstreamError(404, {
    message: `${REHEARSAL_MODEL} does not offer ${method} ${place}. Set OPENAI_API_KEY or OPENAI_BASE_URL to connect a model that does.`,
    type: 'invalid_request_error',
    param: null,
    code: 'not_offered',
  });
}

function model(name: string): ForwardResponse {
  if (decoded(name) === REHEARSAL_MODEL) return json(200, MODEL);
  throw new UpstreamError(404, {
    message: `There is one model here: ${REHEARSAL_MODEL}.`,
    type: 'invalid_request_error',
    param: 'model',
    code: 'model_not_found',
  });
}

function chat(body: Record<string, unknown>, signal: AbortSignal): ForwardResponse {
  const request = readRequest(body);
  const completion = completionOf(generate(request), request.n);
  return request.stream ? events(chunksOf(completion, request.includeUsage), signal) : json(200, completion);
}

/** The older endpoint: each prompt is a question by itself. */
function completions(body: Record<string, unknown>, signal: AbortSignal): ForwardResponse {
  const prompts: unknown[] = [body['prompt'] ?? []].flat();
  const common = readCommon(body);
  if (prompts.length === 0) throw wrong('prompt', 'must be a string or an array of strings');
  const answers = prompts.map((content) => {
    // Lists of token numbers belong to another model's tokenizer.
    if (typeof content !== 'string') throw wrong('prompt', 'must be a string or an array of strings');
    const given = generate({
      ...common,
      maxTokens: common.maxTokens ?? OLD_DEFAULT_TOKENS,
      messages: [{ role: 'user', content }],
      format: { kind: 'text' },
    });
    return body['echo'] === true ? { ...given, text: content + given.text } : given;
  });
  const whole = textCompletionOf(answers, common.n);
  return common.stream ? events(textChunksOf(whole, common.includeUsage), signal) : json(200, whole);
}

async function readJson(body: ForwardRequest['body']): Promise<Record<string, unknown>> {
  const parts: Buffer[] = [];
  for await (const part of body === null || Buffer.isBuffer(body) ? [body ?? Buffer.alloc(0)] : body) {
    parts.push(part as Buffer);
  }
  try {
    const value: unknown = JSON.parse(Buffer.concat(parts).toString('utf8'));
    if (isObject(value)) return value;
  } catch {
    // Said below.
  }
  throw new UpstreamError(400, {
    message: 'The body of the request is not a JSON object.',
    type: 'invalid_request_error',
    param: null,
    code: null,
  });
}

function json(status: number, value: unknown): ForwardResponse {
  const bytes = Buffer.from(JSON.stringify(value));
  return {
    status,
    headers: { 'content-type': 'application/json', 'content-length': String(bytes.length) },
    body: Readable.from([bytes], { objectMode: false }),
  };
}

function events(chunks: Iterable<object>, signal: AbortSignal): ForwardResponse {
  const lines = async function* () {
    for (const chunk of chunks) {
      yield Buffer.from(`data: ${JSON.stringify(chunk)}\n\n`);
      // A long answer lets others have their turn, and hears of a client that has gone.
      await new Promise((resolve) => setImmediate(resolve));
      signal.throwIfAborted();
    }
    yield Buffer.from('data: [DONE]\n\n');
  };
  return {
    status: 200,
    headers: { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' },
    body: Readable.from(lines(), { objectMode: false }),
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
