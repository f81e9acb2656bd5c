import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { performance } from 'node:perf_hooks';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createOpenAiProvider, type OpenAiSettings } from '../../../src/models/openai/openai-provider.ts';
import type { ChatProvider, ForwardRequest } from '../../../src/models/provider.ts';
import {
  failure,
  hang,
  hangMidStream,
  json,
  rawBytes,
  startUpstream,
  type Upstream,
} from '../../support/upstream.ts';

const KEY = 'sk-server-0123456789abcdef';
const never = new AbortController().signal;

let upstream: Upstream;
const providers: ChatProvider[] = [];

function provider(changes: Partial<OpenAiSettings> = {}): ChatProvider {
  const settings = { baseUrl: upstream.baseUrl, apiKey: KEY, model: 'm', timeoutMs: 5_000, maxRetries: 2 };
  const made = createOpenAiProvider({ ...settings, ...changes });
  providers.push(made);
  return made;
}

function request(changes: Partial<ForwardRequest> = {}): ForwardRequest {
  const body = Buffer.from('{"model":"m","seed":12345678901234567890,"x":1.0}');
  const headers = { 'content-type': 'application/json' };
  return { method: 'POST', path: '/chat/completions', headers, body, ...changes };
}

async function bytesOf(body: Readable): Promise<Buffer> {
  return Buffer.concat((await body.toArray()) as Buffer[]);
}

beforeEach(async () => {
  upstream = await startUpstream();
});

afterEach(async () => {
  for (const made of providers.splice(0)) await made.close();
  await upstream.close();
});

describe('a request passed on', () => {
  it('reaches the upstream byte for byte, from a buffer or as it arrives', async () => {
    upstream.on(null, json({}));
    const text = '{"model":"m","seed":12345678901234567890,"x":1.0}';
    await bytesOf((await provider().forward(request(), never)).body);
    const arriving = Readable.from([Buffer.from(text.slice(0, 7)), Buffer.from(text.slice(7))]);
    await bytesOf((await provider().forward(request({ body: arriving }), never)).body);
    expect(upstream.calls.map(({ body }) => body)).toEqual([text, text]);
  });

  it("carries the server's credentials and none of the client's, and no header of the client's connection", async () => {
    upstream.expect('/models', json({ data: [] }));
    const headers = {
      authorization: 'Bearer sk-of-the-client',
      'api-key': 'sk-of-the-client',
      'x-api-key': 'sk-of-the-client',
      cookie: 'session=sk-of-the-client',
      connection: 'keep-alive, X-Private',
      'x-private': 'sk-of-the-client',
      'keep-alive': 'timeout=5',
      'accept-encoding': 'br, gzip',
      'openai-beta': 'assistants=v2',
    };
    await provider().forward(request({ method: 'GET', path: '/models?limit=1', headers, body: null }), never);
    const call = upstream.calls[0];
    expect(call).toMatchObject({ method: 'GET', path: '/models?limit=1' });
    expect(call?.headers).toMatchObject({
      authorization: `Bearer ${KEY}`,
      'accept-encoding': 'br, gzip',
      'openai-beta': 'assistants=v2',
    });
    expect(JSON.stringify(call?.headers)).not.toContain('sk-of-the-client');
    expect(call?.headers['keep-alive']).toBeUndefined();
  });

  it('is never tried twice', async () => {
    upstream.on(null, failure(429, {}, { 'retry-after-ms': '0' }));
    expect((await provider().forward(request(), never)).status).toBe(429);
    expect(upstream.calls).toHaveLength(1);
  });
});

describe('an answer passed back', () => {
  it('keeps its status, headers and compressed bytes', async () => {
    const packed = gzipSync('{"hello":"world"}');
    upstream.expect(null, (res) => {
      res.writeHead(201, {
        'content-type': 'application/json',
        'content-encoding': 'gzip',
        'x-request-id': 'req_7',
        'retry-after': '3',
        'set-cookie': 'upstream=1',
        connection: 'x-hop',
        'x-hop': 'gone',
      });
      res.end(packed);
    });
    const { status, headers, body } = await provider().forward(request(), never);
    expect(status).toBe(201);
    expect(headers).toMatchObject({
      'content-encoding': 'gzip',
      'x-request-id': 'req_7',
      'retry-after': '3',
    });
    for (const name of ['set-cookie', 'connection', 'x-hop', 'transfer-encoding'])
      expect(headers).not.toHaveProperty(name);
    expect(await bytesOf(body)).toEqual(packed);
  });

  it('streams: the first part is there before the last is written', async () => {
    let more = () => undefined as unknown;
    upstream.expect(null, async (res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write('data: 1\n\n');
      await new Promise((resolve) => (more = () => resolve(undefined)));
      res.end('data: 2\n\n');
    });
    const { body } = await provider().forward(request(), never);
    const parts = body[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    expect(String((await parts.next()).value)).toBe('data: 1\n\n');
    more();
    expect(String((await parts.next()).value)).toBe('data: 2\n\n');
  });

  it('that breaks off breaks off for the reader too', async () => {
    upstream.expect(null, rawBytes(['data: 1\n\n'], { end: 'destroy' }));
    const { body } = await provider().forward(request(), never);
    await expect(bytesOf(body)).rejects.toThrow();
  });

  it.each([
    ['in one piece', [`{"error":{"message":"Wrong key ${KEY}, ${KEY}."}}`]],
    ['in pieces that part it', ['{"error":{"message":"Wrong key sk-server-01234', `56789abcdef, ${KEY}."}}`]],
  ])('never holds the key, even where the upstream quotes it %s', async (_how, pieces) => {
    upstream.expect(null, rawBytes(pieces, { status: 401, delayMs: 20 }));
    const { body } = await provider().forward(request(), never);
    const stars = '*'.repeat(KEY.length);
    expect((await bytesOf(body)).toString()).toBe(`{"error":{"message":"Wrong key ${stars}, ${stars}."}}`);
  });
});

describe('a client that goes away', () => {
  it.each([
    ['before the answer', hang()],
    ['in the middle of it', hangMidStream(['Half '])],
  ])('%s cancels the upstream within 100 ms', async (_when, reply) => {
    upstream.expect(null, reply);
    const controller = new AbortController();
    const reading = provider()
      .forward(request(), controller.signal)
      .then(({ body }) => bytesOf(body));
    const outcome = expect(reading).rejects.toThrow();
    const call = await upstream.call(1);
    const gone = performance.now();
    controller.abort(new Error('gone'));
    expect((await call.aborted) - gone).toBeLessThan(100);
    await outcome;
  });
});

describe('no answer at all', () => {
  it('is upstream_timeout when the time is up', async () => {
    upstream.expect(null, hang());
    const asked = provider({ timeoutMs: 1_000 }).forward(request(), never);
    await expect(asked).rejects.toMatchObject({ code: 'upstream_timeout', status: 504 });
  });

  it('is upstream_unreachable when nobody listens', async () => {
    const gone = createServer();
    await new Promise<void>((resolve) => gone.listen(0, '127.0.0.1', resolve));
    const baseUrl = `http://127.0.0.1:${String((gone.address() as AddressInfo).port)}/v1`;
    await new Promise((resolve) => gone.close(resolve));
    const asked = provider({ baseUrl }).forward(request(), never);
    await expect(asked).rejects.toMatchObject({ code: 'upstream_unreachable', status: 502 });
  });
});
