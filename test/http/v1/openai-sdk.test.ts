import OpenAI, { APIError } from 'openai';
import { performance } from 'node:perf_hooks';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  completion,
  dieMidStream,
  failure,
  hang,
  json,
  rawBytes,
  startUpstream,
  streamed,
  type UpstreamReply,
} from '../../support/upstream.ts';
import { startApp, UPSTREAM_KEY } from '../support.ts';

/**
 * The official SDK, unmodified, once against the upstream itself and once against `/v1` in front of it: what a
 * program sees must be the same.
 */
async function both(reply: UpstreamReply, settings: Record<string, string> = {}) {
  const upstream = await startUpstream();
  onTestFinished(() => upstream.close());
  upstream.on(null, reply);
  const app = await startApp({ upstreamUrl: upstream.baseUrl, settings });
  const client = (baseURL: string, apiKey: string) => new OpenAI({ baseURL, apiKey, maxRetries: 1 });
  return {
    upstream,
    direct: client(upstream.baseUrl, UPSTREAM_KEY),
    through: client(`${app.url}/v1`, 'of-the-client'),
  };
}

/** All that a program can see of a call's end. */
async function outcome(call: () => Promise<unknown>): Promise<unknown> {
  try {
    return { value: await call() };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const shown = { name: error.constructor.name, message: error.message };
    if (!(error instanceof APIError)) return shown;
    const { status, code, type, param, error: body, headers } = error as APIError;
    const told = (name: string) => (headers as Headers | undefined)?.get(name) ?? null;
    return {
      ...shown,
      status,
      code,
      type,
      param,
      body,
      retryAfter: told('retry-after'),
      // Where the upstream gives no id, the answer carries CCC's.
      id: told('x-request-id')?.replace(/^req_[\da-f-]{36}$/, '') || null,
    };
  }
}

async function sameOutcome(
  clients: { direct: OpenAI; through: OpenAI },
  call: (client: OpenAI) => Promise<unknown>,
): Promise<unknown> {
  const direct = await outcome(() => call(clients.direct));
  expect(await outcome(() => call(clients.through))).toEqual(direct);
  return direct;
}

const messages = [{ role: 'user', content: 'Hello' }] as const satisfies object[];
const ask = (client: OpenAI) => client.chat.completions.create({ model: 'm', messages: [...messages] });
const askStream = async (client: OpenAI, signal?: AbortSignal) => {
  const stream = await client.chat.completions.create(
    { model: 'm', messages: [...messages], stream: true, stream_options: { include_usage: true } },
    { signal: signal ?? null },
  );
  const chunks: unknown[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
};
const tools = [
  {
    type: 'function' as const,
    function: { name: 'weather', parameters: { type: 'object', properties: {} } },
  },
];

describe('the OpenAI SDK through /v1', () => {
  it('gets whole answers, and tells the same to the upstream', async () => {
    const clients = await both(completion({ content: 'Hello.', headers: { 'x-request-id': 'req_up' } }));
    expect(await sameOutcome(clients, ask)).toMatchObject({
      value: { choices: [{ message: { content: 'Hello.' } }] },
    });
    const [direct, through] = clients.upstream.calls;
    expect(through?.body).toBe(direct?.body);
    expect(through?.headers.authorization).toBe(direct?.headers.authorization);
    const kept = (headers: object = {}) =>
      Object.fromEntries(
        Object.entries(headers).filter(
          ([name]) => !/^(host|connection|keep-alive|accept-encoding|sec-fetch-mode)$/.test(name),
        ),
      );
    expect(kept(through?.headers)).toEqual(kept(direct?.headers));
  });

  it('gets streams, chunk by chunk, with the usage it asked for', async () => {
    const clients = await both(streamed(['Hel', 'lo', '.']));
    const direct = (await sameOutcome(clients, askStream)) as { value: { usage?: unknown }[] };
    expect(direct.value).toHaveLength(6);
    expect(direct.value.at(-1)?.usage).toBeTruthy();
  });

  it('gets tool calls, whole and streamed', async () => {
    const call = { id: 'call_1', name: 'weather', arguments: '{"city":"Lyon"}' };
    const whole = await both(completion({ toolCalls: [call] }));
    await sameOutcome(whole, (client) =>
      client.chat.completions.create({ model: 'm', messages: [...messages], tools }),
    );
    const pieces = [
      {
        tool_calls: [
          { index: 0, id: 'call_1', type: 'function', function: { name: 'weather', arguments: '' } },
        ],
      },
      { tool_calls: [{ index: 0, function: { arguments: '{"city":' } }] },
      { tool_calls: [{ index: 0, function: { arguments: '"Lyon"}' } }] },
    ];
    const stream = await both(streamed(pieces, { finishReason: 'tool_calls' }));
    const run = (client: OpenAI) =>
      client.chat.completions.stream({ model: 'm', messages: [...messages], tools }).finalChatCompletion();
    expect(await sameOutcome(stream, run)).toMatchObject({
      value: { choices: [{ message: { tool_calls: [{ function: { arguments: '{"city":"Lyon"}' } }] } }] },
    });
  });

  it('gets models, embeddings, legacy completions and responses', async () => {
    const clients = await both((res, call) =>
      json({
        object: 'list',
        data: [{ id: 'org/m', object: 'model', embedding: [0.5, -1], index: 0 }],
        path: call.path,
      })(res, call),
    );
    await sameOutcome(clients, async (client) => (await client.models.list()).data);
    await sameOutcome(clients, (client) => client.models.retrieve('org/m'));
    await sameOutcome(clients, (client) =>
      client.embeddings.create({ model: 'm', input: 'a', encoding_format: 'float' }),
    );
    await sameOutcome(clients, (client) => client.completions.create({ model: 'm', prompt: 'a' }));
    await sameOutcome(clients, (client) => client.responses.create({ model: 'm', input: 'a' }));
    const paths = clients.upstream.calls.map(({ path }) => path);
    expect(new Set(paths)).toEqual(
      new Set(['/models', '/models/org%2Fm', '/embeddings', '/completions', '/responses']),
    );
  });

  it.each([
    [401, 'AuthenticationError', {}],
    [404, 'NotFoundError', {}],
    [422, 'UnprocessableEntityError', {}],
    [429, 'RateLimitError', { 'retry-after-ms': '1', 'retry-after': '1', 'x-request-id': 'req_up' }],
    [500, 'InternalServerError', { 'retry-after-ms': '1' }],
    [503, 'InternalServerError', { 'x-should-retry': 'false' }],
  ])('sees an upstream %i as the same %s', async (status, name, headers) => {
    const reply = failure(status, { message: 'No.', code: 'some_code', param: 'model' }, headers);
    for (const call of [ask, (client: OpenAI) => askStream(client)]) {
      const clients = await both(reply);
      expect(await sameOutcome(clients, call)).toMatchObject({ name, status, code: 'some_code' });
      // The same retries, decided by the same headers; none of our own.
      expect(clients.upstream.calls.length % 2).toBe(0);
      expect(clients.upstream.calls.length).toBeLessThanOrEqual(4);
    }
  });

  it('sees an error that is not JSON, and one in the middle of a stream, as they are', async () => {
    const page = await both(
      rawBytes(['<html>Bad gateway</html>'], { status: 400, headers: { 'content-type': 'text/html' } }),
    );
    expect(await sameOutcome(page, ask)).toMatchObject({ status: 400 });
    const midway = await both(
      rawBytes([
        'data: {"id":"1","choices":[]}\n\n',
        'data: {"error":{"message":"overloaded","code":"x"}}\n\n',
      ]),
    );
    expect(await sameOutcome(midway, askStream)).toMatchObject({ name: 'APIError', message: /overloaded/ });
  });

  it('sees an upstream that dies in the middle as what it is, whole or streamed', async () => {
    const stream = await both(dieMidStream(['Hel', 'lo']));
    const streamEnd = await sameOutcome(stream, askStream);
    expect(streamEnd).not.toHaveProperty('value');
    // Also when nothing but the headers has come.
    for (const pieces of [['{"id":'], []]) {
      const headers = { 'content-type': 'application/json', 'content-length': '99' };
      const whole = await both(rawBytes(pieces, { headers, end: 'destroy' }));
      expect(await sameOutcome(whole, ask)).not.toHaveProperty('value');
    }
  });

  it('sees an upstream that is silent as a time-out of its own', async () => {
    const clients = await both(hang());
    const impatient = (client: OpenAI) =>
      client.chat.completions.create(
        { model: 'm', messages: [...messages] },
        { timeout: 150, maxRetries: 0 },
      );
    expect(await sameOutcome(clients, impatient)).toMatchObject({ name: 'APIConnectionTimeoutError' });
  });

  it('sees an upstream that is not there as a 502 that says so', async () => {
    const clients = await both(hang());
    await clients.upstream.close();
    expect(await outcome(() => ask(clients.through))).toMatchObject({
      name: 'InternalServerError',
      status: 502,
      code: 'upstream_unreachable',
    });
  });

  const windows: [string, UpstreamReply, boolean][] = [
    ['before the answer', hang(), false],
    ['before the first token', rawBytes([], { end: 'hang' }), true],
    ['in the middle of the stream', streamed(['a', 'b', 'c'], { delayMs: 50 }), true],
  ];
  it.each(windows)(
    'cancels the upstream within 100 ms when it is aborted %s',
    async (_when, reply, begun) => {
      const clients = await both(reply);
      const controller = new AbortController();
      const run = outcome(async () => {
        const stream = await clients.through.chat.completions.create(
          { model: 'm', messages: [...messages], stream: true },
          { signal: controller.signal },
        );
        for await (const chunk of stream) expect(chunk).toBeTruthy();
      });
      const call = await clients.upstream.call(1);
      if (begun) await new Promise((resolve) => setTimeout(resolve, 60));
      const at = performance.now();
      controller.abort();
      expect((await call.aborted) - at).toBeLessThan(100);
      await run;
      // The abort is not an error to try again.
      expect(clients.upstream.calls).toHaveLength(1);
    },
  );

  it('cancels a whole answer as well', async () => {
    const clients = await both(hang());
    const controller = new AbortController();
    const run = outcome(() =>
      clients.through.chat.completions.create(
        { model: 'm', messages: [...messages] },
        { signal: controller.signal },
      ),
    );
    const call = await clients.upstream.call(1);
    const at = performance.now();
    controller.abort();
    expect((await call.aborted) - at).toBeLessThan(100);
    expect(await run).toMatchObject({ name: 'APIUserAbortError' });
  });
});
