/**
 * What memory costs, and that it costs no more when other sessions grow:
 * `npm run bench:memory -- [--sessions 1000] [--turns 1000] [--long 100000] [--queries 300] [--appends 500]`.
 * One SQLite file holds `sessions` sessions of `turns` turns each and one session of `long` turns; the same first
 * session stands alone in a second file. Each query is asked with other words than the one before.
 * `--only loop`: only how long the event loop is held by large things.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { newId } from '../src/base/ids.ts';
import { createRetriever } from '../src/memory/retrieval/retriever.ts';
import type { MemoryDAL } from '../src/store/memory-dal.ts';
import { openSqliteStore } from '../src/store/sqlite/open-sqlite-store.ts';
import { generator, question, someTurn, storeSession } from './memory-data.ts';
import { measureLoop } from './memory-loop.ts';

const { values } = parseArgs({
  options: {
    sessions: { type: 'string', default: '1000' },
    turns: { type: 'string', default: '1000' },
    long: { type: 'string', default: '100000' },
    queries: { type: 'string', default: '300' },
    appends: { type: 'string', default: '500' },
    only: { type: 'string', default: '' },
  },
});
const [sessions, turns, long, queries, appends] = [
  values.sessions,
  values.turns,
  values.long,
  values.queries,
  values.appends,
].map(Number) as [number, number, number, number, number];
const RESULTS = 40;

const percentile = (times: number[], p: number) =>
  times.toSorted((a, b) => a - b)[Math.floor((times.length - 1) * p)] ?? NaN;
const failures: string[] = [];

/** How long the event loop was held, in milliseconds. The maximum is also that of a busy machine. */
interface Loop {
  p99: number;
  max: number;
}

function report(name: string, times: number[], limitMs: number | null, loop: Loop): number {
  const p95 = percentile(times, 0.95);
  const verdict =
    limitMs === null ? '' : `  (at most ${String(limitMs)} ms: ${p95 <= limitMs ? 'yes' : 'NO'})`;
  if (limitMs !== null && p95 > limitMs) failures.push(name);
  console.log(
    `${name.padEnd(52)} p50 ${percentile(times, 0.5).toFixed(2).padStart(7)} ms   p95 ${p95.toFixed(2).padStart(7)} ms   ` +
      `event loop p99 ${loop.p99.toFixed(1)} ms, at most ${loop.max.toFixed(1)} ms${verdict}`,
  );
  return p95;
}

/** Times of single calls, and the longest time that the event loop was held meanwhile, in milliseconds. */
async function measure(count: number, call: (i: number) => Promise<unknown>): Promise<[number[], Loop]> {
  for (let i = 0; i < Math.min(50, count); i += 1) await call(-1 - i);
  const loop = monitorEventLoopDelay({ resolution: 1 });
  loop.enable();
  const times: number[] = [];
  for (let i = 0; i < count; i += 1) {
    const start = performance.now();
    await call(i);
    times.push(performance.now() - start);
  }
  loop.disable();
  // The timer that measures is itself a millisecond apart.
  const held = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - 1);
  return [times, { p99: held(loop.percentile(99)), max: held(loop.max) }];
}

async function queryTimes(
  dal: MemoryDAL,
  pick: (i: number) => string,
  count = queries,
): Promise<[number[], Loop]> {
  const retriever = createRetriever({ dal });
  const random = generator(7);
  const now = Date.now();
  return measure(count, (i) =>
    retriever.retrieve({ sessionId: pick(Math.abs(i)), query: question(random), limit: RESULTS, now }),
  );
}

const folder = mkdtempSync(join(tmpdir(), 'ccc-bench-'));
process.once('SIGINT', () => {
  rmSync(folder, { recursive: true, force: true });
  process.exit(130);
});
if (values.only === 'loop') {
  const kept = await measureLoop(folder);
  rmSync(folder, { recursive: true, force: true });
  process.exit(kept ? 0 : 1);
}
try {
  const total = sessions * turns + long;
  console.log(
    `${total.toLocaleString('en')} turns: ${String(sessions)} sessions of ${String(turns)}, one of ${String(long)}.`,
  );
  const alone = await openSqliteStore({ file: join(folder, 'alone.db'), threads: true });
  const only = await storeSession(alone, turns, 1);
  const file = join(folder, 'all.db');
  const dal = await openSqliteStore({ file, threads: true });
  const ids: string[] = [];
  const start = performance.now();
  for (let i = 0; i < sessions; i += 1) {
    ids.push(await storeSession(dal, turns, i + 1));
    if ((i + 1) % Math.max(1, Math.floor(sessions / 20)) === 0) {
      const stored = (i + 1) * turns;
      const rate = stored / ((performance.now() - start) / 1000);
      console.log(
        `  ${stored.toLocaleString('en')} turns stored, ${Math.round(rate).toLocaleString('en')} a second`,
      );
    }
  }
  const longSession = long > 0 ? await storeSession(dal, long, 1_000_001) : null;
  console.log(
    `  all stored; the file has ${Math.round(statSync(file).size / 1e6).toLocaleString('en')} MB\n`,
  );

  const among = report(
    `query, ${String(turns)} turns, among ${String(sessions)} sessions`,
    ...(await queryTimes(dal, (i) => ids[(i * 7919) % ids.length]!).then(([t, l]) => [t, 5, l] as const)),
  );
  const aloneTime = report(
    `query, ${String(turns)} turns, alone in the file`,
    ...(await queryTimes(alone, () => only).then(([t, l]) => [t, null, l] as const)),
  );
  const ratio = among / aloneTime;
  console.log(`  among others / alone: ${ratio.toFixed(2)} (at most 1.5: ${ratio <= 1.5 ? 'yes' : 'NO'})`);
  if (ratio > 1.5) failures.push('among others / alone');
  if (longSession) {
    const [times, loop] = await queryTimes(dal, () => longSession, Math.min(queries, 200));
    report(`query, ${String(long)} turns`, times, 50, loop);
    if (loop.p99 > 20) failures.push('event loop held for more than 20 ms');
  }

  const random = generator(11);
  const conversationId = newId('conv');
  const sessionId = ids[0]!;
  const now = Date.now();
  await dal.conversations.create({ sessionId, conversationId, directive: '', turns: [], jobs: [], now });
  const [appendTimes, appendLoop] = await measure(appends, () =>
    dal.turns.append({ sessionId, conversationId, turns: [someTurn(random, now)], jobs: [], now }),
  );
  report('append of one turn, indexed, on the disk', appendTimes, 10, appendLoop);

  if (!(await measureLoop(folder))) failures.push('event loop held by large things');
  await Promise.all([dal.close(), alone.close()]);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(failures.length === 0 ? '\nEvery limit was kept.' : `\nNot kept: ${failures.join('; ')}`);
process.exitCode = failures.length === 0 ? 0 : 1;
