import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { performance } from 'node:perf_hooks';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { errorOf, startApp } from '../support.ts';
import { startBoth, UPSTREAM_KEY, type Script } from './support.ts';

const json = { 'content-type': 'application/json' };
const ok: Script = (res) => res.writeHead(200, json).end('{}');

describe('a client that hangs up', () => {
  const windows: [string, Script, boolean][] = [
    ['before the answer has begun', () => undefined, false],
    [
      'before the first token',
      (res) => {
        res.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
      },
      true,
    ],
    [
      'in the middle of a stream',
      (res) => {
        res.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: {}\n\n');
      },
      true,
    ],
    [
      'in the middle of a whole answer',
      (res) => {
        res.writeHead(200, { ...json, 'content-length': '100' }).write('{');
      },
      true,
    ],
  ];

  it.each(windows)('%s cancels the upstream’s work within 100 ms', async (_when, script, answered) => {
    const { port, nextSeen, log } = await startBoth(script);
    const arrival = nextSeen();
    const client = request({ port, host: '127.0.0.1', method: 'POST', path: '/v1/chat/completions' });
    client.on('error', () => undefined);
    client.end('{"stream":true}');
    const seen = await arrival;
    if (answered) {
      const [response] = (await once(client, 'response')) as [IncomingMessage];
      response.on('error', () => undefined);
    }
    const at = performance.now();
    client.destroy();
    expect((await seen.hungUp) - at).toBeLessThan(100);
    await expect.poll(() => log.join('')).toContain('"aborted":true');
    expect(log.join('')).not.toContain('"level":"error"');
  });

  it('also stops a provider that answers from this process', async () => {
    const body = new Readable({ read: () => undefined });
    const provider = {
      info: { name: 'rehearsal', baseUrl: null, defaultModel: 'm' },
      forward: () => Promise.resolve({ status: 200, headers: {}, body }),
    };
    const { port } = await startApp({ parts: { provider: provider as never } });
    const client = request({ port, host: '127.0.0.1', method: 'POST', path: '/v1/chat/completions' });
    client.on('error', () => undefined);
    client.end('{}');
    const [response] = (await once(client, 'response')) as [IncomingMessage];
    response.on('error', () => undefined);
    client.destroy();
    await once(body, 'close');
    expect(body.destroyed).toBe(true);
  });

  it('while it still sends its body leaves nothing half done at the upstream', async () => {
    const { port, seen, log } = await startBoth(ok);
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(`POST /v1/embeddings HTTP/1.1\r\nhost: 127.0.0.1:${String(port)}\r\n`);
      socket.write('content-length: 1000\r\n\r\n{"half":');
      setImmediate(() => socket.destroy());
    });
    await expect.poll(() => log.join('')).toContain('"aborted":true');
    expect(seen).toHaveLength(0);
  });
});

describe('a second request on a connection whose first is still being answered', () => {
  const pair = (port: number) =>
    ['first', 'second']
      .map(
        (name) =>
          `POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:${String(port)}\r\n` +
          `content-length: ${String(name.length)}\r\n\r\n${name}`,
      )
      .join('');
  const isFirst = ({ body }: { body: Buffer }) => body.toString() === 'first';

  it('is cancelled with it when the client hangs up', async () => {
    const { port, nextSeen, log } = await startBoth(() => undefined);
    const both = Promise.all([nextSeen(), nextSeen()]);
    const socket = connect(port, '127.0.0.1', () => socket.write(pair(port)));
    const seen = await both;
    const at = performance.now();
    socket.destroy();
    for (const { hungUp } of seen) expect((await hungUp) - at).toBeLessThan(1_000);
    await expect.poll(() => log.join('').match(/"aborted":true/g)).toHaveLength(2);
  });

  it('ends as its upstream ended, after the first', async () => {
    let answerFirst: () => void = () => undefined;
    const { port, nextSeen } = await startBoth((res, seen) => {
      if (isFirst(seen)) answerFirst = () => res.writeHead(200, json).end('{"first":true}');
      else res.writeHead(200, json).write('{"second":', () => res.socket?.destroySoon());
    });
    const both = Promise.all([nextSeen(), nextSeen()]);
    let read = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(pair(port)));
    socket.on('data', (bytes) => (read += bytes.toString()));
    const closed = once(socket, 'close');
    await both;
    // By then the second has broken off, and waits.
    await new Promise((later) => setTimeout(later, 50));
    expect(read).toBe('');
    answerFirst();
    await closed;
    expect(read).toContain('{"first":true}');
    expect(read.endsWith('{"second":\r\n')).toBe(true);
  });
});

describe('an upstream that fails', () => {
  it('by not being there is 502, in OpenAI’s shape, without its key', async () => {
    const { url, seen } = await startBoth((res) => res.socket?.destroy());
    const response = await fetch(`${url}/v1/chat/completions`, { method: 'POST', body: '{}' });
    expect(response.status).toBe(502);
    const text = await response.text();
    expect(errorOf(text)).toMatchObject({ code: 'upstream_unreachable', type: 'api_error' });
    expect(text).not.toContain(UPSTREAM_KEY);
    // Never tried again behind the client's back.
    expect(seen).toHaveLength(1);
  });

  it('by being silent is 504 after OPENAI_TIMEOUT_MS', async () => {
    const { url } = await startBoth(() => undefined, { OPENAI_TIMEOUT_MS: '200' });
    const response = await fetch(`${url}/v1/chat/completions`, { method: 'POST', body: '{}' });
    expect(response.status).toBe(504);
    expect(errorOf(await response.text()).code).toBe('upstream_timeout');
  });

  it('in the middle of a stream lets the client have what came, and then see that it broke', async () => {
    const { baseURL } = await startBoth((res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write('data: {"a":1}\n\n', () => res.socket?.destroySoon());
    });
    const response = await fetch(`${baseURL}/chat/completions`, { method: 'POST', body: '{}' });
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    expect(Buffer.from((await reader.read()).value ?? []).toString()).toBe('data: {"a":1}\n\n');
    await expect(reader.read()).rejects.toThrow();
  });

  it('and broke with many pieces on the way loses none that had arrived', async () => {
    const sent = 'data: '.padEnd(200_000, 'x');
    const { baseURL } = await startBoth((res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      for (let at = 0; at < sent.length; at += 1_000) {
        res.write(sent.slice(at, at + 1_000), () => {
          if (at + 1_000 >= sent.length) res.socket?.destroySoon();
        });
      }
    });
    const response = await fetch(`${baseURL}/chat/completions`, { method: 'POST', body: '{}' });
    let read = '';
    const reading = (async () => {
      for await (const bytes of response.body as unknown as AsyncIterable<Uint8Array>) {
        read += Buffer.from(bytes).toString();
      }
    })();
    await expect(reading).rejects.toThrow();
    expect(read).toBe(sent);
  });

  it('in the middle of a whole answer is seen as such too', async () => {
    const { baseURL } = await startBoth((res) => {
      res.writeHead(200, { ...json, 'content-length': '100' });
      res.write('{', () => res.socket?.destroySoon());
    });
    const response = await fetch(`${baseURL}/models`);
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow();
  });
});
