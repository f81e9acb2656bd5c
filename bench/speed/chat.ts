/**
 * What memory costs a chat: `/v2/chat/completions` in direct mode, the turn stored before it is reported as stored, with an
 * upstream that answers at once. Many clients, each on a session of its own; then one client on long sessions in turn,
 * milliseconds over asking the upstream itself, paired round by round.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import type { ChildProcess } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteStore } from '../../src/store/sqlite/open-sqlite-store.ts';
import type { RunningServer } from '../../test/support/server-process.ts';
import { generator, question, storeSession } from '../memory-data.ts';
import type { Load, LoadResult } from './client.ts';
import type { Figure } from './figures.ts';
import { ask, processorTime, residentMegabytes } from './processes.ts';
import { progress } from './progress.ts';
import { ending } from './running.ts';
import { shown, spreadOf, type Spread } from './spread.ts';
import { startCcc } from './targets.ts';

export interface ChatSizes {
  rounds: number;
  forMs: number;
  /** How long many clients ask before anything is measured: the engine goes on compiling for some thousand chats. */
  warmMs: number;
  /** Turns of each long session. */
  turns: number;
  /** Clients, each with a session of `turnsEach` turns. */
  sessions: number;
  turnsEach: number;
}

export interface ChatResult {
  alone: { stream: boolean; addedMs: Spread; addedP99Ms: Spread }[];
  together: { requestsPerSecond: Spread; medianMs: Spread; p99Ms: Spread; cpuMicroseconds: Spread };
  residentMegabytes: number;
}

/** One client goes round so many long sessions: what its own chats add to each stays small beside what is there. */
const LONG_SESSIONS = 8;
/** Questions to each session, one after the other. */
const QUESTIONS = 40;
const HEADERS = { 'content-type': 'application/json', authorization: 'Bearer sk-client' };
const random = generator(7);

export async function measureChat(
  upstreamPort: number,
  client: ChildProcess,
  sizes: ChatSizes,
): Promise<ChatResult> {
  const folder = mkdtempSync(join(tmpdir(), 'ccc-bench-'));
  ending(() => rmSync(folder, { recursive: true, force: true }));
  const { long, many } = await fill(join(folder, 'ccc.db'), sizes);
  const server = await startCcc(upstreamPort, folder);
  // First: it warms the server up.
  const together = await measureTogether(server, client, many, sizes);
  const alone = await measureAlone(server, upstreamPort, client, { ...sizes, ids: long });
  const result = { alone, together, residentMegabytes: residentMegabytes(server.child.pid ?? 0) };
  console.log(`${chatLines(result, sizes).join('\n')}\n`);
  return result;
}

/** Stores the sessions before the server has the record. */
async function fill(file: string, sizes: ChatSizes): Promise<{ long: string[]; many: string[] }> {
  const dal = await openSqliteStore({ file, threads: true });
  try {
    const long: string[] = [];
    for (let at = 1; at <= LONG_SESSIONS; at += 1) {
      progress(`filling long session ${String(at)} of ${String(LONG_SESSIONS)}`);
      long.push(await storeSession(dal, sizes.turns, 1_000 + at));
    }
    const many: string[] = [];
    for (let at = 1; at <= sizes.sessions; at += 1) {
      progress(`filling session ${String(at)} of ${String(sizes.sessions)}`);
      many.push(await storeSession(dal, sizes.turnsEach, at + 1));
    }
    return { long, many };
  } finally {
    await dal.close();
  }
}

async function measureAlone(
  server: RunningServer,
  upstreamPort: number,
  client: ChildProcess,
  { rounds, forMs, ids }: ChatSizes & { ids: string[] },
): Promise<ChatResult['alone']> {
  const ways = [false, true].map((stream) => ({ stream, added: [] as { p50: number; p99: number }[] }));
  for (let round = -1; round < rounds; round += 1) {
    // In turn, so that both meet sessions of the same length.
    for (const { stream, added } of ways) {
      progress(`one client, ${stream ? 'streams' : 'JSON'}: round ${String(round + 1)} of ${String(rounds)}`);
      const load = { connections: 1, forMs, headers: HEADERS };
      const direct = await ask(client, {
        ...load,
        port: upstreamPort,
        path: '/v1/chat/completions',
        bodies: chats(stream),
      });
      const ours = await askCounted(server, client, ids, { ...load, bodies: chats(stream, ids) });
      if (round >= 0) {
        added.push({ p50: ours.whole.p50 - direct.whole.p50, p99: ours.whole.p99 - direct.whole.p50 });
      }
    }
  }
  progress('');
  return ways.map(({ stream, added }) => ({
    stream,
    addedMs: spreadOf(added.map(({ p50 }) => p50)),
    addedP99Ms: spreadOf(added.map(({ p99 }) => p99)),
  }));
}

async function measureTogether(
  server: RunningServer,
  client: ChildProcess,
  ids: string[],
  { rounds, forMs, warmMs }: ChatSizes,
): Promise<ChatResult['together']> {
  const results: (LoadResult & { cpu: number })[] = [];
  const pid = server.child.pid ?? 0;
  for (let round = -1; round < rounds; round += 1) {
    progress(`${String(ids.length)} clients: round ${String(round + 1)} of ${String(rounds)}`);
    const before = processorTime(pid);
    const result = await askCounted(server, client, ids, {
      bodies: chats(false, ids),
      connections: ids.length,
      forMs: round < 0 ? warmMs : forMs,
      headers: HEADERS,
    });
    if (round >= 0) results.push({ ...result, cpu: (processorTime(pid) - before) / result.requests });
  }
  progress('');
  const of = (value: (result: LoadResult & { cpu: number }) => number) => spreadOf(results.map(value));
  return {
    requestsPerSecond: of(({ requests, elapsedMs }) => (1000 * requests) / elapsedMs),
    medianMs: of(({ whole }) => whole.p50),
    p99Ms: of(({ whole }) => whole.p99),
    cpuMicroseconds: of(({ cpu }) => cpu),
  };
}

/** Asks, and holds the answers to their word: two turns for each must be in the record. */
async function askCounted(
  server: RunningServer,
  client: ChildProcess,
  ids: string[],
  load: Omit<Load, 'port' | 'path'>,
): Promise<LoadResult> {
  const before = await turnsOf(server, ids);
  const result = await ask(client, { ...load, port: server.port, path: '/v2/chat/completions' });
  // What was still under way when the time was up is stored too, though nobody waited for it.
  const stored = (await turnsOf(server, ids)) - before;
  if (stored < 2 * result.requests) {
    throw new Error(`${String(result.requests)} answers, ${String(stored)} turns stored`);
  }
  return result;
}

/** Questions to the sessions in turn, each another; to none where none is named. */
function chats(stream: boolean, ids: string[] = []): string[] {
  return Array.from({ length: QUESTIONS * Math.max(1, ids.length) }, (_, at) =>
    JSON.stringify({
      model: 'bench',
      stream,
      messages: [{ role: 'user', content: `${question(random)} (NUMBER)` }],
      ...(ids.length === 0 ? {} : { session_id: ids[at % ids.length], covenant: { mode: 'direct' } }),
    }),
  );
}

async function turnsOf(server: RunningServer, ids: string[]): Promise<number> {
  let total = 0;
  for (const id of ids) {
    const response = await fetch(`${server.url}/api/v2/sessions/${id}`);
    total += ((await response.json()) as { total_turns: number }).total_turns;
  }
  return total;
}

/** What was measured, in words. */
export function chatLines(
  { alone, together, residentMegabytes: megabytes }: ChatResult,
  sizes: ChatSizes,
): string[] {
  return [
    ...alone.map(
      ({ stream, addedMs, addedP99Ms }) =>
        `one client, sessions of ${sizes.turns.toLocaleString('en')} turns, ${stream ? 'a stream of 50 chunks' : '1 kB of JSON'}: ` +
        `${shown(addedMs, 1)} ms added at the median, ${shown(addedP99Ms, 1)} ms at the 99th percentile`,
    ),
    `${String(sizes.sessions)} clients on ${String(sizes.sessions)} sessions of ${sizes.turnsEach.toLocaleString('en')} turns: ` +
      `${shown(together.requestsPerSecond, 0)} requests/s, ${shown(together.medianMs, 0)} ms at the median, ` +
      `${shown(together.p99Ms, 0)} ms at the 99th percentile, ${shown(together.cpuMicroseconds, 0)} µs of processor time each; ` +
      `${megabytes.toFixed(0)} MB resident afterwards`,
  ];
}

/** What a chat with memory is to reach. */
export function chatFigures({ alone, together }: ChatResult): Figure[] {
  return [
    ...alone.flatMap(({ stream, addedMs, addedP99Ms }): Figure[] => {
      const name = `/v2 direct, long session, ${stream ? 'stream' : 'JSON'}: added at the`;
      return [
        { name: `${name} median`, limit: { most: 5 }, unit: 'ms', got: addedMs, digits: 1 },
        { name: `${name} 99th percentile`, limit: { most: 20 }, unit: 'ms', got: addedP99Ms, digits: 1 },
      ];
    }),
    {
      name: '/v2 direct, many sessions: requests a second',
      limit: { least: 500 },
      unit: '/s',
      got: together.requestsPerSecond,
      digits: 0,
    },
  ];
}
