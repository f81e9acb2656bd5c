import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { performance } from 'node:perf_hooks';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ChatCompletionChunk, ChatRequest } from '../../../src/models/chat-types.ts';
import { createOpenAiProvider, type OpenAiSettings } from '../../../src/models/openai/openai-provider.ts';
import type { ChatCallOptions, ChatProvider } from '../../../src/models/provider.ts';
import { UpstreamError } from '../../../src/models/upstream-error.ts';
import {
  chunk,
  completion,
  dieMidStream,
  DONE,
  failure,
  hang,
  hangMidStream,
  json,
  rawBytes,
  refuse,
  startUpstream,
  streamed,
  type Upstream,
} from '../../support/upstream.ts';

const KEY = 'sk-server-0123456789abcdef';
const REQUEST: ChatRequest = { model: 'm', messages: [{ role: 'user', content: 'How are you today?' }] };
const never = new AbortController().signal;

let upstream: Upstream;
const providers: ChatProvider[] = [];

function provider(changes: Partial<OpenAiSettings> = {}): ChatProvider {
  const made = createOpenAiProvider({
    baseUrl: upstream.baseUrl,
    apiKey: KEY,
    model: 'default-model',
    timeoutMs: 5_000,
    maxRetries: 2,
    ...changes,
  });
  providers.push(made);
  return made;
}

/** A streamed call, with what was handed over. */
async function streamedCall(from: ChatProvider, options: Partial<ChatCallOptions> = {}) {
  const chunks: ChatCompletionChunk[] = [];
  const result = await from.chat(REQUEST, {
    signal: never,
    onChunk: (part) => chunks.push(part),
    ...options,
  });
  return { result, chunks };
}

async function failureOf(promise: Promise<unknown>): Promise<UpstreamError> {
  const error = await promise.then(
    () => new Error('it did not fail'),
    (reason: unknown) => reason as Error,
  );
  expect(error).toBeInstanceOf(UpstreamError);
  return error as UpstreamError;
}

beforeEach(async () => {
  upstream = await startUpstream();
});

afterEach(async () => {
  for (const made of providers.splice(0)) await made.close();
  await upstream.close();
});

describe('a whole answer', () => {
  it('comes back with its text, finish reason and usage', async () => {
    upstream.expect('/chat/completions', completion({ content: 'Well.', finishReason: 'length' }));
    const result = await provider().chat({ ...REQUEST, temperature: 0.2, made_up: [1] }, { signal: never });
    expect(result).toMatchObject({
      content: 'Well.',
      finishReason: 'length',
      usage: { prompt_tokens: 5, completion_tokens: 3, total_tokens: 8 },
      usageEstimated: false,
    });
    expect(upstream.calls[0]?.json).toEqual({ ...REQUEST, temperature: 0.2, made_up: [1], stream: false });
    expect(upstream.calls[0]?.headers.authorization).toBe(`Bearer ${KEY}`);
    upstream.assertComplete();
  });

  it('has its tokens estimated when the upstream did not count them', async () => {
    upstream.expect(null, completion({ content: 'Four words of text.', usage: null }));
    const { usage, usageEstimated } = await provider().chat(REQUEST, { signal: never });
    expect(usageEstimated).toBe(true);
    // Both by the cl100k_base table: five words and their punctuation are as many tokens; four around a message.
    expect(usage).toEqual({ prompt_tokens: 9, completion_tokens: 5, total_tokens: 14 });
  });

  it.each([
    ['a web page', rawBytes(['<html>Hello</html>'], { headers: { 'content-type': 'text/html' } })],
    ['JSON that is no completion', json({ ok: true })],
    ['null', json(null)],
  ])('that is %s is an error, not success, and is not asked for again', async (_what, reply) => {
    upstream.expect(null, reply);
    const error = await failureOf(provider().chat(REQUEST, { signal: never }));
    expect(error).toMatchObject({ status: 502, error: { code: 'upstream_invalid' } });
    expect(upstream.calls).toHaveLength(1);
  });
});

describe('a streamed answer', () => {
  it('is handed over chunk by chunk and put together into the whole', async () => {
    upstream.expect(null, streamed(['Good ', 'day ', 'to you.']));
    const { result, chunks } = await streamedCall(provider());
    expect(chunks.map((part) => part.choices[0]?.delta.content ?? '').join('')).toBe('Good day to you.');
    expect(result.completion).toMatchObject({
      object: 'chat.completion',
      choices: [
        { index: 0, message: { role: 'assistant', content: 'Good day to you.' }, finish_reason: 'stop' },
      ],
      usage: { total_tokens: 8 },
    });
    expect(upstream.calls[0]?.json.stream_options).toEqual({ include_usage: true });
  });

  it('survives any boundaries, inside a character too', async () => {
    const bytes = Buffer.from(
      [
        chunk({ role: 'assistant', content: '' }),
        chunk({ content: 'Grüße, 世界 🌍' }),
        chunk({}, 'stop'),
        DONE,
      ].join(''),
    );
    const pieces = Array.from({ length: Math.ceil(bytes.length / 3) }, (_, at) =>
      bytes.subarray(at * 3, at * 3 + 3),
    );
    upstream.expect(null, rawBytes(pieces));
    const { result } = await streamedCall(provider());
    expect(result.content).toBe('Grüße, 世界 🌍');
    expect(result.usageEstimated).toBe(true);
  });

  it('has its parallel tool calls put together by their index', async () => {
    const call = (index: number, more: object) => ({ tool_calls: [{ index, ...more }] });
    upstream.expect(
      null,
      streamed(
        [
          call(0, { id: 'call_a', type: 'function', function: { name: 'weather', arguments: '' } }),
          call(1, { id: 'call_b', type: 'function', function: { name: 'time', arguments: '{"zone"' } }),
          call(0, { function: { arguments: '{"city":"Lyon"}' } }),
          call(1, { function: { arguments: ':"CET"}' } }),
        ],
        { finishReason: 'tool_calls' },
      ),
    );
    const { result } = await streamedCall(provider());
    expect(result.finishReason).toBe('tool_calls');
    expect(result.completion.choices[0]?.message).toMatchObject({
      content: null,
      tool_calls: [
        { id: 'call_a', type: 'function', function: { name: 'weather', arguments: '{"city":"Lyon"}' } },
        { id: 'call_b', type: 'function', function: { name: 'time', arguments: '{"zone":"CET"}' } },
      ],
    });
  });

  it('does without stream_options where the upstream refuses them, and remembers that', async () => {
    const from = provider();
    upstream
      .expect(null, failure(400, { message: 'Unknown field: stream_options' }))
      .on(null, streamed(['Yes.'], { usage: null }));
    expect((await streamedCall(from)).result.usageEstimated).toBe(true);
    expect((await streamedCall(from)).result.content).toBe('Yes.');
    expect(upstream.calls.map(({ json: body }) => 'stream_options' in body)).toEqual([true, false, false]);
  });

  it('that ends without a finish reason is broken, not done', async () => {
    upstream.expect(null, rawBytes([chunk({ role: 'assistant', content: 'Half of' }), DONE]));
    const error = await failureOf(streamedCall(provider()));
    expect(error).toMatchObject({ status: 502, error: { code: 'upstream_unreachable' } });
  });

  it('that breaks off is an error, and is not begun again behind the back of who has seen its beginning', async () => {
    upstream.expect(null, dieMidStream(['Half ', 'of ']));
    const seen: string[] = [];
    const error = await failureOf(
      provider().chat(REQUEST, {
        signal: never,
        onChunk: (part) => seen.push(part.choices[0]?.delta.content ?? ''),
      }),
    );
    expect(error.status).toBe(502);
    expect(seen.join('')).toBe('Half of ');
    expect(upstream.calls).toHaveLength(1);
  });

  it('that breaks off before its first chunk is asked for again', async () => {
    upstream.expect(null, rawBytes([], { end: 'destroy' })).expect(null, streamed(['Whole.']));
    expect((await streamedCall(provider())).result.content).toBe('Whole.');
    upstream.assertComplete();
  });

  it('with an error chunk in it fails with the real message', async () => {
    const event = `data: ${JSON.stringify({ error: { message: 'Overloaded.', type: 'server_error', code: 'busy' } })}\n\n`;
    upstream.expect(null, rawBytes([chunk({ role: 'assistant', content: 'Half' }), event, DONE]));
    const error = await failureOf(streamedCall(provider()));
    expect(error).toMatchObject({
      status: 502,
      message: 'Overloaded.',
      error: { type: 'server_error', code: 'busy' },
    });
  });
});

describe('what an upstream refuses', () => {
  it('is told with its status, error object and the headers a client acts on', async () => {
    upstream.expect(
      null,
      failure(
        401,
        { message: 'Bad key.', type: 'invalid_request_error', code: 'invalid_api_key', param: 'key' },
        { 'x-request-id': 'req_9', 'x-other': 'no' },
      ),
    );
    const error = await failureOf(provider().chat(REQUEST, { signal: never }));
    expect(error.status).toBe(401);
    expect(error.error).toEqual({
      message: 'Bad key.',
      type: 'invalid_request_error',
      code: 'invalid_api_key',
      param: 'key',
    });
    expect(error.headers).toEqual({ 'x-request-id': 'req_9' });
    expect(upstream.calls).toHaveLength(1);
  });

  it('never shows the key, even where the upstream quotes it', async () => {
    upstream.expect(null, failure(401, { message: `The key ${KEY} is wrong.` }));
    const error = await failureOf(provider().chat(REQUEST, { signal: never }));
    expect(error.message).toMatch(/^The key \*+ is wrong\.$/);
    const everything = JSON.stringify(error, Object.getOwnPropertyNames(error)) + String(error.stack);
    expect(everything).not.toContain(KEY);
  });

  it('is tried again where it may pass, as soon as retry-after-ms says', async () => {
    upstream
      .expect(null, failure(429, {}, { 'retry-after-ms': '120' }))
      .expect(null, failure(503, {}, { 'retry-after-ms': '0' }))
      .expect(null, completion({ content: 'At last.' }));
    expect((await provider().chat(REQUEST, { signal: never })).content).toBe('At last.');
    const [first, second] = upstream.calls;
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(115);
    upstream.assertComplete();
  });

  it('waits the seconds of retry-after', async () => {
    upstream.expect(null, failure(429, {}, { 'retry-after': '1' })).expect(null, streamed(['Now.']));
    expect((await streamedCall(provider())).result.content).toBe('Now.');
    expect((upstream.calls[1]?.at ?? 0) - (upstream.calls[0]?.at ?? 0)).toBeGreaterThanOrEqual(990);
  });

  it('is passed on at once when retry-after lies beyond the time that is left', async () => {
    upstream.expect(null, failure(429, { code: 'rate_limit_exceeded' }, { 'retry-after': '3600' }));
    const error = await failureOf(provider().chat(REQUEST, { signal: never }));
    expect(error).toMatchObject({ status: 429, headers: { 'retry-after': '3600' } });
  });

  it('is final after the last retry', async () => {
    upstream.on(null, failure(500, { message: 'Still broken.' }, { 'retry-after-ms': '0' }));
    const error = await failureOf(provider({ maxRetries: 2 }).chat(REQUEST, { signal: never }));
    expect(error).toMatchObject({ status: 500, message: 'Still broken.' });
    expect(upstream.calls).toHaveLength(3);
  });

  it.each([
    ['its own x-should-retry', failure(500, {}, { 'x-should-retry': 'false' })],
    ['an account without money', failure(429, { code: 'insufficient_quota' })],
    ['a wrong request', failure(400)],
  ])('is not tried again after %s', async (_why, reply) => {
    upstream.on(null, reply);
    await failureOf(provider().chat(REQUEST, { signal: never }));
    expect(upstream.calls).toHaveLength(1);
  });
});

describe('the connection', () => {
  it('is tried again when it breaks before the answer', async () => {
    upstream.expect(null, refuse()).expect(null, completion({ content: 'Here.' }));
    expect((await provider().chat(REQUEST, { signal: never })).content).toBe('Here.');
    upstream.assertComplete();
  });

  it('that cannot be made is a 502', async () => {
    const gone = createServer();
    const port = await new Promise<number>((resolve) => {
      gone.listen(0, '127.0.0.1', () => {
        resolve((gone.address() as AddressInfo).port);
      });
    });
    await new Promise((resolve) => gone.close(resolve));
    const from = provider({ baseUrl: `http://127.0.0.1:${String(port)}/v1`, maxRetries: 0 });
    const error = await failureOf(from.chat(REQUEST, { signal: never }));
    expect(error).toMatchObject({ status: 502, error: { code: 'upstream_unreachable' } });
  });
});

describe('the time-out', () => {
  it.each([
    ['that never answers', hang()],
    ['that hangs in the middle of a stream', hangMidStream(['Half '])],
  ])('ends a call to an upstream %s', async (_what, reply) => {
    upstream.on(null, reply);
    const error = await failureOf(streamedCall(provider({ timeoutMs: 150 })));
    expect(error).toMatchObject({ status: 504, error: { code: 'upstream_timeout' } });
    expect(upstream.calls).toHaveLength(1);
    await upstream.calls[0]?.aborted;
  });

  it('can be longer for one call than it is by default', async () => {
    upstream.expect(null, rawBytes([], { end: 'hang' })).on(null, completion());
    const started = performance.now();
    await failureOf(streamedCall(provider({ timeoutMs: 50 }), { timeoutMs: 300 }));
    expect(performance.now() - started).toBeGreaterThanOrEqual(295);
  });
});

describe('an abort', () => {
  it.each([
    ['before the answer', hang(), true],
    ['in the middle of a stream', hangMidStream(['Half ']), true],
    ['before the answer to a call that is not streamed', hang(), false],
  ])('%s stops the upstream at once and rejects with its reason', async (_when, reply, streams) => {
    upstream.on(null, reply);
    const controller = new AbortController();
    const reason = new Error('the client has gone');
    const asked = provider().chat(REQUEST, {
      signal: controller.signal,
      ...(streams ? { onChunk: () => undefined } : {}),
    });
    const outcome = expect(asked).rejects.toBe(reason);
    const call = await upstream.call(1);
    const abortedAt = performance.now();
    controller.abort(reason);
    await outcome;
    expect((await call.aborted) - abortedAt).toBeLessThan(100);
  });

  it('does not wait for a retry to come due', async () => {
    upstream.on(null, failure(429, {}, { 'retry-after': '4' }));
    const controller = new AbortController();
    const asked = provider().chat(REQUEST, { signal: controller.signal });
    const outcome = expect(asked).rejects.toBe('enough');
    await upstream.call(1);
    // The answer travels back before the abort; either way the abort ends the call.
    await new Promise((resolve) => setTimeout(resolve, 50));
    const started = performance.now();
    controller.abort('enough');
    await outcome;
    expect(performance.now() - started).toBeLessThan(500);
    expect(upstream.calls).toHaveLength(1);
  });

  it('before the call makes no call', async () => {
    const signal = AbortSignal.abort('too late');
    await expect(provider().chat(REQUEST, { signal })).rejects.toBe('too late');
    expect(upstream.calls).toHaveLength(0);
  });
});

describe('the address', () => {
  it('sends no Authorization without a key', async () => {
    upstream.on(null, completion({ content: 'Open.' }));
    await provider({ apiKey: undefined }).chat(REQUEST, { signal: never });
    await provider({ apiKey: '' }).chat(REQUEST, { signal: never });
    expect(upstream.calls.map(({ headers }) => headers.authorization)).toEqual([undefined, undefined]);
  });

  it('with a name and password in it is used with them and shown without', async () => {
    upstream.on(null, completion({ content: 'Open.' }));
    const baseUrl = upstream.baseUrl.replace('//', '//me:long%20password%21@') + '/?api-version=7';
    const from = provider({ baseUrl, apiKey: undefined });
    await from.chat(REQUEST, { signal: never });
    const basic = Buffer.from('me:long password!').toString('base64');
    expect(upstream.calls[0]).toMatchObject({
      path: '/chat/completions?api-version=7',
      headers: { authorization: `Basic ${basic}` },
    });
    expect(from.info).toEqual({ name: 'openai', baseUrl: upstream.baseUrl, defaultModel: 'default-model' });
  });
});
