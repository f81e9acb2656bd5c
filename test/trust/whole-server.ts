import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { buildApp } from '../../src/app.ts';
import { createLogger } from '../../src/base/logger.ts';
import { buildParts } from '../../src/build-parts.ts';
import { loadSettings } from '../../src/config/load.ts';
import { ownSecrets } from '../../src/config/own-secrets.ts';
import { createHttpServer } from '../../src/http/http-server.ts';
import { maskLines } from '../../src/text/redaction/mask-lines.ts';
import { createMasker } from '../../src/text/redaction/masker.ts';
import type { Upstream } from '../support/upstream.ts';

export const UPSTREAM_KEY = 'the upstream key of these tests';

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'ccc-trust-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

/** The server with all its parts and its background work, in this process, on a data folder of its own. */
export async function startWhole(upstream: Upstream, more: Record<string, string> = {}) {
  const { settings } = loadSettings({
    OPENAI_BASE_URL: upstream.baseUrl,
    OPENAI_API_KEY: UPSTREAM_KEY,
    OPENAI_MAX_RETRIES: '0',
    CCC_DATA_DIR: temporaryFolder(),
    ...more,
  });
  const log: string[] = [];
  // As src/main.ts does it.
  const lines = maskLines(createMasker(ownSecrets(settings)), { write: (line) => log.push(line) });
  const parts = await buildParts(settings, createLogger('debug', lines));
  const server = createHttpServer(buildApp(parts));
  const port = await server.listen('127.0.0.1', 0);
  parts.start();
  let stopped = false;
  const stop = async () => {
    if (stopped) return;
    stopped = true;
    await server.stop(0);
    await parts.settle(5_000);
    await parts.close();
  };
  onTestFinished(stop);
  const url = `http://127.0.0.1:${String(port)}`;
  const send = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
    fetch(url + path, {
      method,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
  /** JSON in, JSON out; what is refused is an error of the test. */
  const call = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const response = await send(method, path, body, headers);
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${String(response.status)} ${text}`);
    // eslint-disable-next-line @typescript-eslint/no-explicit-any -- tests reach into it freely
    return (text === '' ? null : JSON.parse(text)) as any;
  };
  /** Until nothing is left to be done in the background. */
  const settled = async () => {
    for (let quiet = 0; quiet < 3;) {
      const jobs = await parts.dal.jobs.counts();
      quiet = jobs.every(({ state }) => state === 'failed') ? quiet + 1 : 0;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return (await parts.dal.jobs.counts()).filter(({ state }) => state === 'failed');
  };
  return { url, parts, settings, log, stop, send, call, settled, folder: settings.CCC_DATA_DIR };
}

export type WholeServer = Awaited<ReturnType<typeof startWhole>>;

/** Every file below a folder, with its bytes as text of one byte each. */
export function filesOf(folder: string): { path: string; bytes: string }[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? filesOf(path) : [{ path, bytes: readFileSync(path, 'latin1') }];
  });
}

/** In which files a text stands, whatever its case: index terms are in small letters. */
export function whereIn(folder: string, text: string): string[] {
  const wanted = Buffer.from(text).toString('latin1').toLowerCase();
  return filesOf(folder)
    .filter(({ bytes }) => bytes.toLowerCase().includes(wanted))
    .map(({ path }) => path.slice(folder.length + 1));
}
