import type { ServerResponse } from 'node:http';
import type { UpstreamReply } from './upstream.ts';

declare module 'node:http' {
  interface ServerResponse {
    /** Set by replies that break off on purpose. */
    destroyedByScript?: true;
  }
}

export interface ToolCallScript {
  id: string;
  name: string;
  arguments: string;
}

export interface CompletionScript {
  content?: string | null;
  toolCalls?: ToolCallScript[];
  /** Null leaves usage out, as some servers do. */
  usage?: { prompt_tokens: number; completion_tokens: number } | null;
  finishReason?: string;
  model?: string;
  headers?: Record<string, string>;
}

const USAGE = { prompt_tokens: 5, completion_tokens: 3 };
const ENVELOPE = { id: 'chatcmpl-scripted', created: 1_700_000_000, model: 'scripted-model' };
const withTotal = (usage: { prompt_tokens: number; completion_tokens: number }) => ({
  ...usage,
  total_tokens: usage.prompt_tokens + usage.completion_tokens,
});

/** Any JSON body, status 200 unless said otherwise. */
export function json(body: unknown, status = 200, headers: Record<string, string> = {}): UpstreamReply {
  return (res) => {
    res.writeHead(status, { 'content-type': 'application/json', ...headers });
    res.end(JSON.stringify(body));
  };
}

/** A whole chat completion. */
export function completion(script: CompletionScript = {}): UpstreamReply {
  const { content = null, toolCalls = [], usage = USAGE, model = ENVELOPE.model, headers = {} } = script;
  const finish_reason = script.finishReason ?? (toolCalls.length > 0 ? 'tool_calls' : 'stop');
  const tool_calls = toolCalls.map(({ id, name, arguments: text }) => ({
    id,
    type: 'function',
    function: { name, arguments: text },
  }));
  const message = {
    role: 'assistant',
    content,
    refusal: null,
    ...(tool_calls.length > 0 ? { tool_calls } : {}),
  };
  return json(
    {
      ...ENVELOPE,
      object: 'chat.completion',
      model,
      choices: [{ index: 0, message, logprobs: null, finish_reason }],
      ...(usage ? { usage: withTotal(usage) } : {}),
    },
    200,
    headers,
  );
}

/** One SSE event of a streamed completion, as text; `delta` null gives a chunk without choices. */
export function chunk(delta: object | null, finish_reason: string | null = null, more: object = {}): string {
  const choices = delta === null ? [] : [{ index: 0, delta, logprobs: null, finish_reason }];
  return `data: ${JSON.stringify({ ...ENVELOPE, object: 'chat.completion.chunk', choices, ...more })}\n\n`;
}

export const DONE = 'data: [DONE]\n\n';

export interface StreamScript {
  /** Sent when the call asked for it by `stream_options.include_usage`; null never sends it. */
  usage?: { prompt_tokens: number; completion_tokens: number } | null;
  finishReason?: string;
  /** Between two chunks, in milliseconds. */
  delayMs?: number;
  headers?: Record<string, string>;
}

/** A streamed completion: a role chunk, one chunk for each text or delta, the finish, the usage if asked for, `[DONE]`. */
export function streamed(deltas: (string | object)[], script: StreamScript = {}): UpstreamReply {
  const { usage = USAGE, finishReason = 'stop', delayMs = 0, headers = {} } = script;
  return async (res, call) => {
    const asked = (call.json as { stream_options?: { include_usage?: boolean } } | null)?.stream_options;
    const events = [
      chunk({ role: 'assistant', content: '' }),
      ...deltas.map((delta) => chunk(typeof delta === 'string' ? { content: delta } : delta)),
      chunk({}, finishReason),
      ...(usage && asked?.include_usage ? [chunk(null, null, { usage: withTotal(usage) })] : []),
      DONE,
    ];
    await rawBytes(events, { delayMs, headers })(res, call);
  };
}

export interface BytesScript {
  status?: number;
  headers?: Record<string, string>;
  /** Between two pieces, in milliseconds; 0 still flushes each piece by itself. */
  delayMs?: number;
  /** How it ends: properly, by a destroyed socket, or never. */
  end?: 'end' | 'destroy' | 'hang';
}

/** Exactly these pieces, each written by itself, so that a test decides where the boundaries of chunks fall. */
export function rawBytes(pieces: (string | Uint8Array)[], script: BytesScript = {}): UpstreamReply {
  const { status = 200, headers = {}, delayMs = 0, end = 'end' } = script;
  return async (res) => {
    res.socket?.setNoDelay(true);
    res.writeHead(status, { 'content-type': 'text/event-stream', ...headers });
    res.flushHeaders();
    for (const piece of pieces) {
      await written(res, piece);
      await pause(delayMs);
      if (res.destroyed) return;
    }
    if (end === 'end') res.end();
    if (end === 'destroy') breakOff(res);
  };
}

/** An error in OpenAI's shape. */
export function failure(
  status: number,
  error: { message?: string; type?: string; code?: string | null; param?: string | null } = {},
  headers: Record<string, string> = {},
): UpstreamReply {
  const shape = { message: `scripted ${String(status)}`, type: 'scripted_error', code: null, param: null };
  return json({ error: { ...shape, ...error } }, status, headers);
}

/** Takes the call and never answers. */
export function hang(): UpstreamReply {
  return () => undefined;
}

/** Begins a stream and destroys the socket after these texts. */
export function dieMidStream(texts: string[]): UpstreamReply {
  const events = [chunk({ role: 'assistant', content: '' }), ...texts.map((content) => chunk({ content }))];
  return rawBytes(events, { end: 'destroy' });
}

/** Begins a stream and then says nothing more, with the connection open. */
export function hangMidStream(texts: string[]): UpstreamReply {
  const events = [chunk({ role: 'assistant', content: '' }), ...texts.map((content) => chunk({ content }))];
  return rawBytes(events, { end: 'hang' });
}

/** Hangs up without a word. */
export function refuse(): UpstreamReply {
  return (res) => {
    breakOff(res);
  };
}

/** The same reply, that many milliseconds later. */
export function slow(delayMs: number, reply: UpstreamReply): UpstreamReply {
  return async (res, call) => {
    await pause(delayMs);
    await reply(res, call);
  };
}

function breakOff(res: ServerResponse): void {
  res.destroyedByScript = true;
  res.destroy();
}

function written(res: ServerResponse, piece: string | Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    res.write(piece, () => {
      resolve();
    });
  });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    if (ms === 0) setImmediate(resolve);
    else setTimeout(resolve, ms);
  });
}
