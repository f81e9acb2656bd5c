import { connect, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createHttpServer } from '../../src/http/http-server.ts';
import { errorOf, rawExchange } from './support.ts';

const LIMITS = { headersTimeout: 300, requestTimeout: 600, connectionsCheckingInterval: 50 };

async function start() {
  let asked = 0;
  const server = createHttpServer((req, res) => {
    asked += 1;
    req.resume().on('end', () => res.end('well'));
    req.on('error', () => undefined);
  }, LIMITS);
  const port = await server.listen('127.0.0.1', 0);
  onTestFinished(() => server.stop(0));
  return { port, asked: () => asked };
}

/** Sends one more piece every few milliseconds, as long as it is let. Resolves with what came back. */
function drip(port: number, begin: string, piece: string, everyMs: number): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    let timer: NodeJS.Timeout | undefined;
    const socket: Socket = connect(port, '127.0.0.1', () => {
      socket.write(begin);
      timer = setInterval(() => socket.write(piece), everyMs);
    });
    socket.on('data', (part: Buffer) => (text += part.toString()));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearInterval(timer);
      resolve(text);
    });
  });
}

describe('a slow loris', () => {
  it('a hundred of them, a header at a time, are all ended, and others are answered meanwhile', async () => {
    const { port, asked } = await start();
    const slow = Array.from({ length: 100 }, (_, at) =>
      drip(port, 'GET / HTTP/1.1\r\nhost: x\r\n', `x-${String(at)}: y\r\n`, 20),
    );
    const answer = await rawExchange(port, 'GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    for (const text of await Promise.all(slow)) expect(text).toMatch(/^HTTP\/1\.1 408 /);
    // None of them ever became a request.
    expect(asked()).toBe(1);
  });

  it('that sends its body a byte at a time is ended too', async () => {
    const { port } = await start();
    const text = await drip(port, 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n', 'x', 20);
    expect(text).toMatch(/^HTTP\/1\.1 408 /);
    expect(errorOf(text.split('\r\n\r\n')[1] ?? '').code).toBe('request_timeout');
  });
});

describe('a header bomb', () => {
  it.each([
    ['one that is long', `x: ${'y'.repeat(20_000)}\r\n`],
    ['very many', 'x: y\r\n'.repeat(20_000)],
    ['a path that is long', ''],
  ])('%s is refused with 431 and never becomes a request', async (what, headers) => {
    const { port, asked } = await start();
    const path = headers === '' ? `/${'z'.repeat(20_000)}` : '/';
    const text = await rawExchange(port, `GET ${path} HTTP/1.1\r\nhost: x\r\n${headers}\r\n`);
    expect(text, what).toMatch(/^HTTP\/1\.1 431 /);
    expect(asked()).toBe(0);
  });
});
