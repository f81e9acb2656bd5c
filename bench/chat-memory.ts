/**
 * What memory costs a chat: `/v2/chat/completions` in direct mode, the turn stored before it is reported as stored, with
 * an upstream that answers at once.
 * 1. One client on a session of 10,000 turns: milliseconds over asking the upstream itself, paired round by round.
 * 2. 64 clients on 64 sessions of 1,000 turns: requests a second.
 *
 *     npm run build && npm run bench:chat -- [--rounds 5] [--ms 3000] [--turns 10000] [--sessions 64] [--only alone|together]
 */
import { once } from 'node:events';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { startServerProcess } from '../test/support/server-process.ts';
import type { Load, LoadResult } from './gateways/client.ts';
import { processorTime, residentMegabytes, startHelper } from './gateways/processes.ts';
import { generator, question, sentence } from './memory-data.ts';

const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    ms: { type: 'string', default: '3000' },
    turns: { type: 'string', default: '10000' },
    sessions: { type: 'string', default: '64' },
    only: { type: 'string' },
  },
});
const [rounds, forMs, longTurns, sessions] = [flags.rounds, flags.ms, flags.turns, flags.sessions].map(
  Number,
) as [number, number, number, number];
const TURNS_PER_CONVERSATION = 50;
const TURNS_PER_SESSION = 1_000;

const random = generator(7);
const upstream = await startHelper('upstream.ts');
const client = await startHelper('load.ts');
const server = await startServerProcess({
  env: { OPENAI_BASE_URL: `http://127.0.0.1:${String(upstream.port)}/v1`, OPENAI_API_KEY: 'sk-bench' },
});
const pid = server.child.pid ?? 0;

try {
  if (flags.only !== 'together') {
    const long = await filledSession(longTurns, `a session of ${String(longTurns)} turns`);
    await alone(long, false);
    await alone(long, true);
  }
  if (flags.only !== 'alone') {
    const many: string[] = [];
    for (let at = 0; at < sessions; at += 1) {
      many.push(await filledSession(TURNS_PER_SESSION, `session ${String(at + 1)} of ${String(sessions)}`));
    }
    progress('');
    await together(many);
  }
  console.log(
    `${cpus()[0]?.model ?? 'unknown'}, ${String(cpus().length)} cores, Node ${process.version}; all processes on this machine; ` +
      `server at ${residentMegabytes(pid).toFixed(0)} MB.`,
  );
} finally {
  await server.stop();
  upstream.child.kill();
  client.child.kill();
}

async function alone(session: string, stream: boolean): Promise<void> {
  const added: { p50: number; p99: number }[] = [];
  for (let round = -1; round < rounds; round += 1) {
    progress(`one client, ${stream ? 'streams' : 'JSON'}: round ${String(round + 1)} of ${String(rounds)}`);
    const load = { bodies: [chat(stream)], connections: 1, forMs };
    const direct = await ask({ ...load, port: upstream.port, path: '/v1/chat/completions' });
    const ours = await askCounted([session], {
      ...load,
      port: server.port,
      path: '/v2/chat/completions',
      bodies: [chat(stream, session)],
    });
    if (round >= 0) {
      added.push({ p50: ours.whole.p50 - direct.whole.p50, p99: ours.whole.p99 - direct.whole.p50 });
    }
  }
  progress('');
  console.log(
    `one client, ${String(longTurns)} turns, ${stream ? 'a stream of 50 chunks' : '1 kB of JSON'}: ` +
      `${spread(added.map(({ p50 }) => p50))} ms added at the median (at most 5), ` +
      `${spread(added.map(({ p99 }) => p99))} ms at the 99th percentile (at most 20)`,
  );
}

async function together(ids: string[]): Promise<void> {
  const perSecond: number[] = [];
  const times: LoadResult['whole'][] = [];
  const used: number[] = [];
  for (let round = -1; round < rounds; round += 1) {
    progress(`${String(ids.length)} clients: round ${String(round + 1)} of ${String(rounds)}`);
    const before = processorTime(pid);
    const result = await askCounted(ids, {
      port: server.port,
      path: '/v2/chat/completions',
      bodies: ids.map((id) => chat(false, id)),
      connections: ids.length,
      forMs,
    });
    if (round < 0) continue;
    perSecond.push((1000 * result.requests) / result.elapsedMs);
    times.push(result.whole);
    used.push((processorTime(pid) - before) / result.requests);
  }
  progress('');
  console.log(
    `${String(ids.length)} clients on ${String(ids.length)} sessions of ${String(TURNS_PER_SESSION)} turns: ` +
      `${spread(perSecond, 0)} requests/s (at least 500), ${spread(times.map(({ p50 }) => p50))} ms at the median, ` +
      `${spread(times.map(({ p99 }) => p99))} ms at the 99th percentile, ${spread(used, 0)} µs of processor time each`,
  );
}

/** Asks, and holds the answers to their word: two turns for each must be in the record. */
async function askCounted(ids: string[], load: Omit<Load, 'headers'>): Promise<LoadResult> {
  const before = await turnsOf(ids);
  const result = await ask(load);
  // What was still under way when the time was up is stored too, though nobody waited for it.
  const stored = (await turnsOf(ids)) - before;
  if (stored < 2 * result.requests) {
    throw new Error(`${String(result.requests)} answers, ${String(stored)} turns stored`);
  }
  return result;
}

async function ask(load: Omit<Load, 'headers'>): Promise<LoadResult> {
  client.child.send({
    ...load,
    headers: { 'content-type': 'application/json', authorization: 'Bearer sk-client' },
  } satisfies Load);
  const [{ result, error }] = (await once(client.child, 'message')) as [
    { result?: LoadResult; error?: string },
  ];
  if (!result) throw new Error(error ?? 'no result');
  if (Object.keys(result.failures).length > 0) throw new Error(JSON.stringify(result.failures));
  return result;
}

function chat(stream: boolean, session?: string): string {
  return JSON.stringify({
    model: 'bench',
    stream,
    messages: [{ role: 'user', content: `${question(random)} (NUMBER)` }],
    ...(session === undefined ? {} : { session_id: session, covenant: { mode: 'direct' } }),
  });
}

async function filledSession(turns: number, name: string): Promise<string> {
  const { session_id: id } = await post<{ session_id: string }>('/api/v2/sessions', {});
  for (let at = 0; at < turns; at += TURNS_PER_CONVERSATION) {
    progress(`filling ${name}: ${String(at)} turns`);
    const { conversation_id: conversation } = await post<{ conversation_id: string }>(
      '/api/v2/conversations',
      {
        session_id: id,
        directive: sentence(random),
      },
    );
    await post(`/api/v2/conversations/${conversation}/turns`, {
      turns: Array.from({ length: TURNS_PER_CONVERSATION - 1 }, (_, i) => ({
        agent: i % 2 === 0 ? 'codey' : 'wykeve',
        content: sentence(random),
      })),
    });
  }
  return id;
}

async function turnsOf(ids: string[]): Promise<number> {
  let total = 0;
  for (const id of ids) {
    const response = await fetch(`${server.url}/api/v2/sessions/${id}`);
    total += ((await response.json()) as { total_turns: number }).total_turns;
  }
  return total;
}

async function post<T>(path: string, body: unknown): Promise<T> {
  const response = await fetch(server.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${path}: ${String(response.status)} ${await response.text()}`);
  return (await response.json()) as T;
}

function progress(text: string): void {
  process.stderr.write(`\r${text.padEnd(70)}${text === '' ? '\r' : ''}`);
}

function spread(values: number[], digits = 1): string {
  const sorted = [...values].sort((a, b) => a - b);
  const [low = 0, middle = 0, high = 0] = [sorted[0], sorted[Math.floor(sorted.length / 2)], sorted.at(-1)];
  return `${middle.toFixed(digits)} (${low.toFixed(digits)}–${high.toFixed(digits)})`;
}
