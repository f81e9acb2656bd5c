import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { startServerProcess, type RunningServer } from '../../test/support/server-process.ts';
import { leftOut, otherPackage } from './others.ts';
import { startHelper } from './processes.ts';
import { ending } from './running.ts';

/** A way from the client to the upstream. */
export interface Target {
  name: string;
  port: number;
  path: string;
  headers: Record<string, string>;
  /** The process that stands between; absent when nothing does. */
  child?: ChildProcess;
  /** Whether its answer must be the upstream's, byte for byte. */
  faithful: boolean;
  /** Fields for the body of each of so many connections; none when absent. */
  fields?(connections: number): Promise<object[]>;
}

const JSON_HEADERS = { 'content-type': 'application/json', authorization: 'Bearer sk-client' };
const PATH = '/v1/chat/completions';

export function direct(upstream: number): Target {
  return { name: 'direct', port: upstream, path: PATH, headers: JSON_HEADERS, faithful: true };
}

export async function plainProxy(upstream: number): Promise<Target> {
  const { child, port } = await startHelper('plain-proxy.ts', String(upstream));
  return { name: 'plain node:http', port, path: PATH, headers: JSON_HEADERS, child, faithful: true };
}

/** The built server as its users run it: its log is written, at the level of the default. */
export async function startCcc(upstream: number, dataDir?: string): Promise<RunningServer> {
  return startServerProcess({
    env: { OPENAI_BASE_URL: `http://127.0.0.1:${String(upstream)}/v1`, OPENAI_API_KEY: 'sk-bench' },
    ...(dataDir === undefined ? {} : { dataDir }),
    spawned: ending,
  });
}

export function cccV1({ port, child }: RunningServer): Target {
  return { name: 'CCC /v1', port, path: PATH, headers: JSON_HEADERS, child, faithful: true };
}

/** With memory, each connection in a session of its own. */
export function cccV2({ port, child, url }: RunningServer, mode: 'direct' | 'cycle'): Target {
  return {
    name: `CCC /v2 ${mode}`,
    port,
    path: '/v2/chat/completions',
    headers: JSON_HEADERS,
    child,
    faithful: false,
    fields: (connections) =>
      Promise.all(
        Array.from({ length: connections }, async () => {
          const response = await fetch(`${url}/api/v2/sessions`, {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: '{}',
          });
          const { session_id } = (await response.json()) as { session_id: string };
          return { session_id, covenant: { mode } };
        }),
      ),
  };
}

/** The name of its target. */
export const PORTKEY = 'Portkey';

/** Portkey's gateway, where it is installed and answers; else it is left out. */
export async function portkey(upstream: number): Promise<Target | null> {
  const manifest = otherPackage('@portkey-ai/gateway/package.json');
  if (manifest === null) {
    leftOut(PORTKEY);
    return null;
  }
  const script = join(dirname(manifest), 'build', 'start-server.js');
  const port = await freePort();
  const child = spawn(process.execPath, [script, '--headless', `--port=${String(port)}`], {
    stdio: 'ignore',
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', NODE_ENV: 'production' },
  });
  ending(() => end(child));
  const target = {
    name: PORTKEY,
    port,
    path: PATH,
    headers: {
      ...JSON_HEADERS,
      'x-portkey-provider': 'openai',
      'x-portkey-custom-host': `http://127.0.0.1:${String(upstream)}/v1`,
    },
    child,
    faithful: false,
  };
  try {
    await answers(port);
    for (const stream of [false, true]) await answersChat(target, stream);
    return target;
  } catch (error) {
    leftOut(PORTKEY, error instanceof Error ? error.message : String(error));
    return null;
  }
}

/** @throws Error when a chat gets no 200 */
async function answersChat({ port, path, headers }: Target, stream: boolean): Promise<void> {
  const body = JSON.stringify({ model: 'bench', stream, messages: [{ role: 'user', content: 'Hello' }] });
  const response = await fetch(`http://127.0.0.1:${String(port)}${path}`, { method: 'POST', headers, body });
  const text = await response.text();
  if (!response.ok) {
    throw new Error(
      `it answers a ${stream ? 'streamed ' : ''}chat with ${String(response.status)} ${text.slice(0, 200)}`,
    );
  }
}

async function end(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

async function answers(port: number): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    try {
      await fetch(`http://127.0.0.1:${String(port)}/`);
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  throw new Error(`Nothing answers on port ${String(port)}.`);
}
