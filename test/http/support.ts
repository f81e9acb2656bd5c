import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { Registry } from 'prom-client';
import { onTestFinished } from 'vitest';
import { buildApp, type AppParts } from '../../src/app.ts';
import { systemClock } from '../../src/base/clock.ts';
import { createLogger, silentLogger } from '../../src/base/logger.ts';
import { loadSettings } from '../../src/config/load.ts';
import { createHttpServer } from '../../src/http/http-server.ts';
import { ServerState } from '../../src/http/operation/server-state.ts';
import { unavailable } from '../../src/http/unavailable.ts';
import { createOpenAiProvider } from '../../src/models/openai/openai-provider.ts';

export const UPSTREAM_KEY = 'sk-of-the-server';

/** The whole HTTP side on a port of its own, without memory; all else as in the real server. */
export async function startApp(
  options: {
    upstreamUrl?: string;
    settings?: Record<string, string>;
    parts?: Partial<AppParts>;
    /** Log lines go here. */
    log?: string[];
  } = {},
) {
  const { upstreamUrl = 'http://127.0.0.1:9/v1', log } = options;
  const { settings } = loadSettings({ OPENAI_BASE_URL: upstreamUrl, ...options.settings });
  const state = new ServerState();
  const provider = createOpenAiProvider({
    baseUrl: upstreamUrl,
    apiKey: UPSTREAM_KEY,
    model: settings.OPENAI_MODEL,
    timeoutMs: settings.OPENAI_TIMEOUT_MS,
    maxRetries: 0,
  });
  const absent = 'This test has no memory.';
  const app = buildApp({
    version: '0.0.0-test',
    settings,
    logger: log ? createLogger('info', { write: (line) => log.push(line) }) : silentLogger,
    clock: systemClock,
    registry: new Registry(),
    state,
    provider,
    dal: unavailable(absent),
    memory: unavailable(absent),
    // No cycle runs: an erased session has none to stop. All else is absent.
    cycles: new Proxy(unavailable<AppParts['cycles']>(absent), {
      get: (cycles, name) =>
        name === 'stopSession' ? () => Promise.resolve() : (Reflect.get(cycles, name) as unknown),
    }),
    causal: unavailable(absent),
    ...options.parts,
  });
  const server = createHttpServer(app);
  const port = await server.listen('127.0.0.1', 0);
  onTestFinished(async () => {
    await server.stop(0);
    await provider.close();
  });
  return { url: `http://127.0.0.1:${String(port)}`, port, server, state };
}

/** A bare server for one handler, gone when the test is. */
export async function listen(handler: RequestListener): Promise<string> {
  const server = createServer(handler);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}

/** Writes bytes on a socket, without any client's help or opinion, and returns all that comes back. */
export function rawExchange(port: number, ...writes: (string | Buffer)[]): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(port, '127.0.0.1', () => {
      for (const bytes of writes) socket.write(bytes);
    });
    socket.setEncoding('latin1');
    socket.on('data', (part: string) => (text += part));
    socket.on('close', () => {
      resolve(text);
    });
    socket.on('error', (error) => {
      if (text === '') reject(error);
    });
  });
}

/** A request on a raw socket: exactly these headers, connection closed after the answer. */
export async function rawRequest(
  port: number,
  request: { method?: string; path?: string; headers?: Record<string, string>; body?: string },
): Promise<{ status: number; head: string; body: string }> {
  const { method = 'GET', path = '/health', headers = {}, body = '' } = request;
  const lines = Object.entries({ connection: 'close', ...headers }).map(
    ([name, value]) => `${name}: ${value}`,
  );
  const length = body === '' ? [] : [`content-length: ${String(Buffer.byteLength(body))}`];
  const text = await rawExchange(
    port,
    [`${method} ${path} HTTP/1.1`, ...lines, ...length, '', body].join('\r\n'),
  );
  const [head = '', answer = ''] = text.split('\r\n\r\n', 2);
  return { status: Number(head.split(' ', 2)[1]), head: head.toLowerCase(), body: answer };
}

/** The whole of a request's body. */
export async function bytesOf(req: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of req) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

export function errorOf(text: string): { code: string; type: string; message: string; param: string | null } {
  return (
    JSON.parse(text) as { error: { code: string; type: string; message: string; param: string | null } }
  ).error;
}

export type { IncomingMessage, ServerResponse };
