import { connect } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createHttpServer } from '../../src/http/http-server.ts';
import { errorOf } from './support.ts';

async function start(listener: Parameters<typeof createHttpServer>[0], limits = {}) {
  const server = createHttpServer(listener, limits);
  const port = await server.listen('127.0.0.1', 0);
  onTestFinished(() => server.stop(0));
  return { server, port, url: `http://127.0.0.1:${String(port)}` };
}

/** All that comes back on a connection on which only these bytes are sent. */
function hear(port: number, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    socket.on('data', (part: Buffer) => (text += part.toString()));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      resolve(text);
    });
  });
}

describe('a slow request', () => {
  const limits = { headersTimeout: 100, requestTimeout: 200, connectionsCheckingInterval: 20 };

  it.each([
    ['whose headers do not come', 'GET / HTTP/1.1\r\nhost: x\r\nx-slow'],
    ['whose body does not come', 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nabc'],
  ])('%s is ended with 408, in the contract’s shape', async (_what, bytes) => {
    const { port } = await start((req, res) => {
      req.on('end', () => res.end('all of it'));
      req.on('error', () => undefined);
      req.resume();
    }, limits);
    const text = await hear(port, bytes);
    expect(text).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
    expect(errorOf(text.split('\r\n\r\n')[1] ?? '').code).toBe('request_timeout');
  });

  it('does not mean a slow answer', async () => {
    const { url } = await start((req, res) => {
      req.resume();
      setTimeout(() => res.end('thought about it'), 500);
    }, limits);
    expect(await (await fetch(url, { method: 'POST', body: 'x' })).text()).toBe('thought about it');
  });
});

describe('a stop', () => {
  it('waits for the answers that are being given, and closes the connections that wait for nothing', async () => {
    const answers: (() => void)[] = [];
    const { server, url } = await start((req, res) => {
      if (req.url === '/slow') answers.push(() => res.end('in full'));
      else res.end();
    });
    await (await fetch(`${url}/quick`)).text();
    const slow = fetch(`${url}/slow`).then((response) => response.text());
    await expect.poll(() => answers).toHaveLength(1);
    const stopped = server.stop(60_000);
    answers[0]?.();
    expect(await slow).toBe('in full');
    await stopped;
    await expect(fetch(url)).rejects.toThrow();
  });

  it('cuts what takes longer than it may', async () => {
    let asked = false;
    const { server, url } = await start(() => (asked = true));
    const cut = fetch(url).catch(() => 'cut');
    await expect.poll(() => asked).toBe(true);
    await server.stop(50);
    expect(await cut).toBe('cut');
  });
});
