import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildApp } from '../../src/app.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { buildParts } from '../../src/build-parts.ts';
import { loadSettings } from '../../src/config/load.ts';
import { createHttpServer } from '../../src/http/http-server.ts';
import { startUpstream, type UpstreamCall, type UpstreamReply } from '../support/upstream.ts';
import type { Connection } from './client.ts';

/** The calls that one run of one case has made. */
export interface Run {
  /** To be part of whatever the client sends: it tells to which run a call belongs. */
  tag: string;
  calls: UpstreamCall[];
  /** Resolves with the run's call of that number (from 1) as soon as it has come. */
  call(number: number): Promise<UpstreamCall>;
}

/**
 * The whole server, built as `npm start` builds it, with the scripted upstream behind it. Each run has a script and a
 * tag of its own, so that a call that comes late is still known for what it is.
 */
export async function startClientServer() {
  const folder = await mkdtemp(join(tmpdir(), 'ccc-clients-'));
  const upstream = await startUpstream();
  const runs = new Map<string, { run: Run; reply: UpstreamReply; arrived: () => void }>();
  upstream.on(null, (res, call) => {
    // Memory quotes earlier runs of the same session: the newest is meant.
    const numbers = [...call.body.matchAll(/\[run-(\d+)\]/g)].map(([, number]) => Number(number));
    const tag = `[run-${String(numbers.length > 0 ? Math.max(...numbers) : runs.size)}]`;
    const of = runs.get(tag);
    if (!of) throw new Error(`a call that belongs to no run: ${call.body.slice(0, 300)}`);
    of.run.calls.push(call);
    of.arrived();
    return of.reply(res, call);
  });
  const { settings } = loadSettings({
    CCC_DATA_DIR: folder,
    OPENAI_BASE_URL: upstream.baseUrl,
    OPENAI_API_KEY: 'sk-server',
    // Each call of the upstream is to be a client's.
    CCC_CAUSAL_MAX_CALLS_PER_MINUTE: '0',
  });
  const parts = await buildParts(settings, silentLogger);
  const server = createHttpServer(buildApp(parts));
  const url = `http://127.0.0.1:${String(await server.listen('127.0.0.1', 0))}`;
  parts.start();

  /** How a client is pointed at a new session, in each of the two ways that need nothing but a URL and a key. */
  async function session(covenantMode: 'direct' | 'cycle', by: 'token' | 'url'): Promise<Connection> {
    const response = await fetch(`${url}/api/v2/sessions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ user_preferences: { covenant_mode: covenantMode } }),
    });
    const { session_id, token } = (await response.json()) as { session_id: string; token: string };
    return by === 'token'
      ? { baseURL: `${url}/v2`, apiKey: token }
      : { baseURL: `${url}/v2/sessions/${session_id}`, apiKey: 'sk-of-the-client' };
  }

  return {
    url,
    upstream,
    session,
    /** Begins a run: its calls are answered by this reply. */
    begin(reply: UpstreamReply): Run {
      const tag = `[run-${String(runs.size + 1)}]`;
      const waiting: { number: number; resolve: (call: UpstreamCall) => void }[] = [];
      const calls: UpstreamCall[] = [];
      const arrived = () => {
        for (const { number, resolve } of waiting) {
          const call = calls[number - 1];
          if (call) resolve(call);
        }
      };
      const call = (number: number) =>
        new Promise<UpstreamCall>((resolve) => {
          waiting.push({ number, resolve });
          arrived();
        });
      const run = { tag, calls, call };
      runs.set(tag, { run, reply, arrived });
      return run;
    },
    async stop(): Promise<void> {
      await Promise.all([server.stop(500), parts.settle(500)]);
      await parts.close();
      await upstream.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export type ClientServer = Awaited<ReturnType<typeof startClientServer>>;
