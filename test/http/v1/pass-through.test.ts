import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { bytesOf, errorOf, listen, startApp } from '../support.ts';
import { startBoth, UPSTREAM_KEY, type Script } from './support.ts';

const json = { 'content-type': 'application/json' };
const ok: Script = (res) => res.writeHead(200, json).end('{}');

/** What JSON.parse and JSON.stringify would change. */
const ODD_JSON =
  '{ "seed":12345678901234567890,\r\n\t"temperature": 1.0, "top_p":1e0,"model":"m","model":"n", "s":"\\u00e9\\/", "x_unknown":[ ] }\n';

describe('what goes up', () => {
  it('is byte for byte what the client sent', async () => {
    const { baseURL, seen } = await startBoth(ok);
    await fetch(`${baseURL}/chat/completions`, { method: 'POST', headers: json, body: ODD_JSON });
    expect(seen[0]?.body.toString()).toBe(ODD_JSON);
  });

  it('need not be JSON, nor said to be: the upstream judges', async () => {
    const { baseURL, seen } = await startBoth((res) => res.writeHead(415, json).end('{"error":{}}'));
    const bytes = randomBytes(100_000);
    const response = await fetch(`${baseURL}/embeddings?a=%20b&c`, { method: 'POST', body: bytes });
    expect(response.status).toBe(415);
    expect(seen[0]?.body.equals(bytes)).toBe(true);
    expect(seen[0]?.url).toBe('/up/v1/embeddings?a=%20b&c');
  });

  it.each([
    ['POST', '/chat/completions'],
    ['POST', '/completions'],
    ['POST', '/responses'],
    ['POST', '/embeddings'],
    ['GET', '/models'],
    ['GET', '/models/gpt-4o'],
    ['GET', '/models/org%2Fname'],
    ['GET', '/models/org/name?v=1'],
  ])('%s %s goes to the same path below the upstream’s root', async (method, path) => {
    const { baseURL, seen } = await startBoth(ok);
    const response = await fetch(baseURL + path, method === 'POST' ? { method, body: '{}' } : {});
    expect(response.status).toBe(200);
    expect([seen[0]?.method, seen[0]?.url]).toEqual([method, `/up/v1${path}`]);
  });

  it("has the server's key and nothing of the client's credentials", async () => {
    const { baseURL, seen } = await startBoth(ok);
    await fetch(`${baseURL}/models`, {
      headers: {
        authorization: 'Bearer ccc_sess_of_the_client',
        cookie: 'a=b',
        'x-api-key': 'of-the-client',
        'x-ccc-session-id': 'sess_private',
        'openai-beta': 'assistants=v2',
        'x-request-id': 'mine',
      },
    });
    const headers = seen[0]?.headers ?? {};
    expect(headers.authorization).toBe(`Bearer ${UPSTREAM_KEY}`);
    expect(headers['openai-beta']).toBe('assistants=v2');
    expect(headers['x-request-id']).toBe('mine');
    expect(JSON.stringify(headers)).not.toMatch(/of.the.client|a=b|sess_private/);
  });

  it('is streamed: the upstream has the beginning of a body before its end was sent', async () => {
    let heard: (text: string) => void = () => undefined;
    const beginning = new Promise<string>((resolve) => (heard = resolve));
    const upstreamUrl = await listen((req, res) => {
      req.once('data', (part: Buffer) => {
        heard(part.toString());
      });
      req.on('end', () => res.end('{}'));
    });
    const { url } = await startApp({ upstreamUrl });
    const client = request(`${url}/v1/chat/completions`, { method: 'POST' });
    client.write('{"a":');
    expect(await beginning).toBe('{"a":');
    client.end('1}');
    const [response] = (await once(client, 'response')) as [IncomingMessage];
    expect((await bytesOf(response)).toString()).toBe('{}');
  });
});

describe('what comes back', () => {
  it('has the status, the body and the headers of the upstream', async () => {
    const { baseURL } = await startBoth((res) => {
      res.writeHead(218, {
        ...json,
        'retry-after': '3',
        'x-request-id': 'req_upstream',
        'openai-processing-ms': '12',
        'x-ratelimit-remaining-requests': '59',
        'x-unheard-of': 'yes',
        'set-cookie': 'tracking=1',
        connection: 'keep-alive, x-hop',
        'x-hop': 'this connection only',
      });
      res.end(ODD_JSON);
    });
    const response = await fetch(`${baseURL}/models`);
    expect(response.status).toBe(218);
    expect(await response.text()).toBe(ODD_JSON);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'application/json',
      'retry-after': '3',
      'x-request-id': 'req_upstream',
      'openai-processing-ms': '12',
      'x-ratelimit-remaining-requests': '59',
      'x-unheard-of': 'yes',
    });
    expect(response.headers.get('set-cookie')).toBeNull();
    expect(response.headers.get('x-hop')).toBeNull();
  });

  it('cannot loosen what a page of this server may do', async () => {
    const { baseURL } = await startBoth((res) => {
      res.writeHead(200, {
        'content-type': 'text/html',
        'content-security-policy': 'default-src *',
        'access-control-allow-origin': '*',
      });
      res.end('<script>1</script>');
    });
    const { headers } = await fetch(`${baseURL}/models`);
    expect(headers.get('content-security-policy')).toBe(
      "default-src 'none'; sandbox; frame-ancestors 'none'",
    );
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('access-control-allow-origin')).toBeNull();
  });

  it('has the bytes of its headers, whether the body comes with them or later', async () => {
    for (const late of [false, true]) {
      const { baseURL, upstreamUrl } = await startBoth((res) => {
        res.writeHead(200, { 'content-type': 'text/event-stream', 'x-name': 'caf\u00e9' });
        res.flushHeaders();
        if (late) setTimeout(() => res.end('data: 1\n\n'), 50);
        else res.end('data: 1\n\n');
      });
      // Both are read as Latin-1, byte for byte.
      const [direct, ours] = await Promise.all([fetch(`${upstreamUrl}/models`), fetch(`${baseURL}/models`)]);
      expect(ours.headers.get('x-name')).toBe(direct.headers.get('x-name'));
      expect(await ours.text()).toBe('data: 1\n\n');
    }
  });

  it('to a wrong upstream key does not pass for a refusal of this server', async () => {
    const error = { message: 'Incorrect API key.', type: 'auth', code: 'invalid_api_key', param: null };
    const { baseURL } = await startBoth((res) => {
      res.writeHead(401, { ...json, 'www-authenticate': 'Bearer realm="ccc"' });
      res.end(JSON.stringify({ error }));
    });
    const answer = await fetch(`${baseURL}/models`);
    expect([answer.status, await answer.json()]).toEqual([401, { error }]);
    expect(answer.headers.get('www-authenticate')).toBeNull();
  });

  it('to HEAD is the head alone, and to 204 and 304 has no body', async () => {
    const { baseURL, seen, setScript } = await startBoth((res) => {
      res.writeHead(200, { ...json, 'content-length': '17' }).end();
    });
    const head = await fetch(`${baseURL}/models`, { method: 'HEAD' });
    expect([seen[0]?.method, head.status, head.headers.get('content-length')]).toEqual(['HEAD', 200, '17']);
    for (const status of [204, 304]) {
      setScript((res) => res.writeHead(status, { etag: '"x"' }).end());
      const response = await fetch(`${baseURL}/models`);
      expect([response.status, response.headers.get('etag'), await response.text()]).toEqual([
        status,
        '"x"',
        '',
      ]);
    }
  });

  it('stays compressed as it came', async () => {
    const zipped = gzipSync(ODD_JSON);
    const { port } = await startBoth((res) => {
      res.writeHead(200, { ...json, 'content-encoding': 'gzip' }).end(zipped);
    });
    const client = request({
      port,
      host: '127.0.0.1',
      path: '/v1/models',
      headers: { 'accept-encoding': 'gzip' },
    });
    client.end();
    const [response] = (await once(client, 'response')) as [IncomingMessage];
    const bytes = await bytesOf(response);
    expect(bytes.equals(zipped)).toBe(true);
    expect(gunzipSync(bytes).toString()).toBe(ODD_JSON);
  });

  it('arrives piece by piece as the upstream sends it, headers first', async () => {
    let say: (text: string) => void = () => undefined;
    let end: () => void = () => undefined;
    const { baseURL } = await startBoth((res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.flushHeaders();
      say = (text) => res.write(text);
      end = () => res.end();
    });
    // Resolves on the headers, when nothing has been said yet.
    const response = await fetch(`${baseURL}/chat/completions`, { method: 'POST', body: '{}' });
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    for (const piece of ['data: 1\n', '\n: comment\r\n', 'data: \xff odd']) {
      say(piece);
      const { value } = await reader.read();
      expect(Buffer.from(value ?? []).toString()).toBe(piece);
    }
    end();
    expect((await reader.read()).done).toBe(true);
  });

  it('arrives in one piece where the upstream sent many at once: writing each would cost more than what is in it', async () => {
    const pieces = Array.from({ length: 50 }, (_, at) => `data: ${String(at)}\n\n`);
    const { port } = await startBoth((res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.socket?.cork();
      for (const piece of pieces) res.write(piece);
      res.end();
      res.socket?.uncork();
    });
    const socket = connect({ port, host: '127.0.0.1' });
    socket.write(`GET /v1/models HTTP/1.1\r\nhost: 127.0.0.1:${String(port)}\r\nconnection: close\r\n\r\n`);
    const parts: Buffer[] = [];
    for await (const part of socket) parts.push(part as Buffer);
    const [, body = ''] = Buffer.concat(parts).toString().split('\r\n\r\n');
    const whole = pieces.join('');
    // RFC 9112, 7.1: one chunk with its size, and the empty one that ends the body.
    expect(body).toBe(`${whole.length.toString(16)}\r\n${whole}\r\n0`);
  });

  it('waits for a client that reads slowly instead of filling memory', async () => {
    const total = 64 * 1024 * 1024;
    let written = 0;
    let stalled = false;
    const part = Buffer.alloc(256 * 1024, 'x');
    const { port } = await startBoth(async (res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      while (written < total) {
        written += part.length;
        if (!res.write(part)) {
          const drained = await Promise.race([
            once(res, 'drain').then(() => true),
            new Promise((resolve) => setTimeout(resolve, 1_000, false)),
          ]);
          if (drained === false) {
            stalled = true;
            await once(res, 'drain');
          }
        }
      }
      res.end();
    });
    const client = request({ port, host: '127.0.0.1', path: '/v1/models' });
    client.end();
    const [response] = (await once(client, 'response')) as [IncomingMessage];
    response.pause();
    await expect.poll(() => stalled, { timeout: 10_000 }).toBe(true);
    // What fits into the sockets on the way, not the whole.
    expect(written).toBeLessThan(total / 2);
    let read = 0;
    for await (const bytes of response) read += (bytes as Buffer).length;
    expect(read).toBe(total);
  });
});

describe('a body that is too large', () => {
  const settings = { CCC_MAX_BODY: '1mb' };

  it('is refused at its announcement, before any of it is sent up', async () => {
    const { baseURL, seen } = await startBoth(ok, settings);
    const response = await fetch(`${baseURL}/chat/completions`, {
      method: 'POST',
      body: Buffer.alloc(1024 * 1024 + 1),
    });
    expect(response.status).toBe(413);
    expect(errorOf(await response.text()).code).toBe('payload_too_large');
    expect(seen).toHaveLength(0);
  });

  it('is refused without being sent when the client waits for 100 Continue', async () => {
    const { port } = await startBoth(ok, settings);
    const client = request({
      port,
      host: '127.0.0.1',
      method: 'POST',
      path: '/v1/embeddings',
      headers: { expect: '100-continue', 'content-length': 50_000_000 },
    });
    let told = false;
    client.on('continue', () => (told = true));
    client.on('error', () => undefined);
    client.flushHeaders();
    const [response] = (await once(client, 'response')) as [IncomingMessage];
    expect(response.statusCode).toBe(413);
    expect(told).toBe(false);
    client.destroy();
  });

  it('is taken when the client waited and it is small enough', async () => {
    const { port, seen } = await startBoth(ok, settings);
    const headers = { expect: '100-continue', 'content-length': 2 };
    const client = request({ port, host: '127.0.0.1', method: 'POST', path: '/v1/embeddings', headers });
    client.on('continue', () => client.end('{}'));
    client.flushHeaders();
    const [response] = (await once(client, 'response')) as [IncomingMessage];
    expect(response.statusCode).toBe(200);
    expect(seen[0]?.body.toString()).toBe('{}');
    await bytesOf(response);
  });

  it('is refused where it passes the limit when it announced no length', async () => {
    const { port, seen } = await startBoth(ok, settings);
    const client = request({ port, host: '127.0.0.1', method: 'POST', path: '/v1/embeddings' });
    client.on('error', () => undefined);
    const part = Buffer.alloc(64 * 1024);
    for (let sent = 0; sent < 2 * 1024 * 1024; sent += part.length) client.write(part);
    client.end();
    const [response] = (await once(client, 'response')) as [IncomingMessage];
    expect(response.statusCode).toBe(413);
    expect(errorOf((await bytesOf(response)).toString()).code).toBe('payload_too_large');
    expect(seen).toHaveLength(0);
  });

  it('does not hold the connection for ever when the client goes on sending', async () => {
    const { port } = await startBoth(ok, settings);
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(`POST /v1/embeddings HTTP/1.1\r\nhost: 127.0.0.1:${String(port)}\r\n`);
    socket.write('content-length: 9000000000\r\n\r\n');
    const sending = setInterval(() => socket.write(Buffer.alloc(1024)), 50);
    let heard = '';
    socket.on('data', (part: Buffer) => (heard += part.toString()));
    // Not by `once`, which fails where the connection is reset under what is still being sent.
    await new Promise((closed) => socket.once('close', closed));
    clearInterval(sending);
    expect(heard).toMatch(/^HTTP\/1\.1 413 /);
  });

  it('of just the limit is taken, 20 MB by default', async () => {
    const { baseURL, seen } = await startBoth(ok);
    const bytes = randomBytes(20 * 1024 * 1024);
    const response = await fetch(`${baseURL}/chat/completions`, { method: 'POST', body: bytes });
    expect(response.status).toBe(200);
    expect(seen[0]?.body.equals(bytes)).toBe(true);
  });
});
