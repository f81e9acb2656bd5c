import type { ChildProcess } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Agent, request } from 'undici';
import { startServerProcess } from '../support/server-process.ts';
import { Random } from './random.ts';
import { fuzzRequest, KnownIds, type FuzzRequest } from './requests.ts';
import { MARK, startBadUpstream } from './upstream.ts';

export interface FuzzOptions {
  requests: number;
  seed: number;
  /** Requests under way at the same time. */
  atOnce?: number;
  /** Told now and then how many have been made. */
  progress?: (made: number) => void;
}

export interface FuzzResult {
  made: number;
  byStatus: Record<string, number>;
  /** What must not be: each with its number, so that it can be looked at again. */
  faults: string[];
  /** When the server is warm, after half of the requests and at the end; null when it did not live so long. */
  figures: { warm: Figures; half: Figures; end: Figures } | null;
}

export interface Figures {
  openFiles: number;
  heapMegabytes: number;
}

/** A request that takes longer has hung, in milliseconds. */
const HUNG_MS = 30_000;
/** Some clients hang up, after so many milliseconds. */
const PATIENCE_MS = 20;
/** Requests after which the server is as it will be: its threads are up, its pools are filled. */
const WARM_UP = 500;
/** What may be more at the end: connections that are still open, and what its caches hold. */
const MORE = { openFiles: 30, heapMegabytes: 40 };
const GARBAGE = fileURLToPath(new URL('./collect-garbage.cjs', import.meta.url));
/** Shown faults; there may be more. */
const MOST_FAULTS = 20;

/** Asks the built server all sorts of things and holds its answers to the contract. */
export async function fuzz({ requests, seed, atOnce = 24, progress }: FuzzOptions): Promise<FuzzResult> {
  const upstream = await startBadUpstream(seed);
  const server = await startServerProcess({
    env: {
      OPENAI_BASE_URL: upstream.url,
      OPENAI_API_KEY: 'sk-of-the-fuzzed-upstream',
      OPENAI_MAX_RETRIES: '0',
      CCC_MAX_BODY: '1mb',
      // A bad upstream is meant to be asked again and again.
      CCC_UPSTREAM_FAILURES: '0',
      LOG_LEVEL: 'error',
      NODE_OPTIONS: `--require ${GARBAGE}`,
    },
  });
  const agent = new Agent({
    connections: atOnce,
    pipelining: 1,
    headersTimeout: HUNG_MS,
    bodyTimeout: HUNG_MS,
  });
  const ids = new KnownIds();
  const byStatus: Record<string, number> = {};
  const faults: string[] = [];
  let made = 0;
  let exit: number | null | undefined;
  server.child.once('exit', (code) => (exit = code));

  const one = async (number: number): Promise<void> => {
    const random = new Random(seed, number);
    const asked = fuzzRequest(random, ids);
    const fault = (what: string) => {
      if (faults.length < MOST_FAULTS) faults.push(`#${String(number)} ${describe(asked)}: ${what}`);
    };
    const signal = random.chance(0.02) ? AbortSignal.timeout(random.int(PATIENCE_MS)) : undefined;
    try {
      const answer = await request(server.url + asked.path, {
        method: asked.method as 'GET',
        headers: asked.headers,
        body: asked.body,
        dispatcher: agent,
        ...(signal ? { signal } : {}),
      });
      const text = await answer.body.text();
      byStatus[answer.statusCode] = (byStatus[answer.statusCode] ?? 0) + 1;
      ids.note(text);
      const wrong = wrongWith(asked, answer.statusCode, answer.headers, text);
      if (wrong !== null) fault(wrong);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      byStatus['broken off'] = (byStatus['broken off'] ?? 0) + 1;
      // What the upstream breaks off is broken off here too; what has hung is a fault.
      if (/TIMEOUT/.test(code ?? '') && !signal?.aborted) fault(`hung: ${message}`);
    }
    made += 1;
    if (made % 500 === 0) progress?.(made);
  };

  const make = async (from: number, to: number): Promise<void> => {
    let next = from;
    const worker = async () => {
      while (next < to && exit === undefined) await one(next++);
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
  };

  const rest = () => figures(server.url, server.child);
  try {
    await make(0, Math.min(WARM_UP, requests));
    const warm = await rest();
    await make(WARM_UP, Math.floor(requests / 2));
    const half = await rest();
    await make(Math.max(WARM_UP, Math.floor(requests / 2)), requests);
    if (exit !== undefined) {
      faults.push(`the server ended with code ${String(exit)}:\n${server.stderr().slice(-2_000)}`);
      return { made, byStatus, faults, figures: null };
    }
    const end = await rest();
    const noted = { warm, half, end };
    if (end.openFiles > warm.openFiles + MORE.openFiles) faults.push(`open files: ${JSON.stringify(noted)}`);
    if (end.heapMegabytes > half.heapMegabytes + MORE.heapMegabytes)
      faults.push(`memory that is held: ${JSON.stringify(noted)}`);
    if (/unhandled|uncaught/i.test(server.stderr())) faults.push(server.stderr().slice(-2_000));
    return { made, byStatus, faults, figures: noted };
  } finally {
    await agent.destroy();
    await server.stop();
    await upstream.close();
  }
}

function describe({ method, path, headers, body }: FuzzRequest): string {
  const sent = body === null ? '' : ` ${body.toString('latin1').slice(0, 300)}`;
  return `${method} ${path.slice(0, 200)} ${JSON.stringify(headers)}${sent}`;
}

/** Null when the answer keeps the contract. */
function wrongWith(
  asked: FuzzRequest,
  status: number,
  headers: Record<string, unknown>,
  text: string,
): string | null {
  if (text.includes('sk-of-the-fuzzed-upstream')) return 'the upstream key is in the answer';
  if (/\bat .+\.(?:js|ts):\d+:\d+/.test(text) && !asked.path.startsWith('/assets'))
    return `a stack trace: ${text.slice(0, 300)}`;
  // The upstream's own answers are passed on as they are.
  if (headers['x-upstream'] === MARK || text.includes(MARK)) return null;
  // A fault of the server's own has a code; an upstream that fails without a word of why has none.
  if (status === 500 && !text.includes('"code":null')) return `500: ${text.slice(0, 500)}`;
  if (status < 400 || asked.method === 'HEAD') return null;
  try {
    const { error } = JSON.parse(text) as { error: Record<string, unknown> };
    const { message, type, code, param } = error;
    const kept =
      typeof message === 'string' &&
      typeof type === 'string' &&
      // An upstream's own words may have none.
      (code === null || typeof code === 'string') &&
      (param === null || typeof param === 'string');
    return kept ? null : `${String(status)} in another shape: ${text.slice(0, 300)}`;
  } catch {
    return `${String(status)} is no JSON: ${text.slice(0, 300)}`;
  }
}

/** Figures of the server's own, when nothing is under way any more and garbage is collected. */
async function figures(url: string, server: ChildProcess): Promise<Figures> {
  await wait(1_500);
  server.kill('SIGUSR2');
  await wait(500);
  const text = await (await fetch(`${url}/metrics`)).text();
  const read = (name: string) =>
    Number(new RegExp(`^${name} ([\\d.e+]+)`, 'm').exec(text)?.[1] ?? Number.NaN);
  return {
    openFiles: read('process_open_fds'),
    heapMegabytes: Math.round(read('nodejs_heap_size_used_bytes') / 1e6),
  };
}
