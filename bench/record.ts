/**
 * How fast the record takes turns, durably: `npx tsx bench/record.ts [seconds] [--encrypted]`.
 * Each append is one turn of ordinary length with its index rows and one background job, acknowledged after its commit
 * is on the disk. Beside it stands what the disk itself can do: one writer, one fdatasync for each 4 KiB.
 */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { newId } from '../src/base/ids.ts';
import type { MemoryDAL } from '../src/store/memory-dal.ts';
import type { NewTurn } from '../src/store/records.ts';
import { openSqliteStore } from '../src/store/sqlite/open-sqlite-store.ts';

const seconds = Number(process.argv.slice(2).find((argument) => /^\d+$/.test(argument)) ?? 4);
const key = process.argv.includes('--encrypted') ? 'a passphrase for the benchmark' : null;
const folder = mkdtempSync(join(tmpdir(), 'ccc-bench-'));
const WORDS = 20_000;
const WORDS_PER_TURN = 25;

/** Words as language has them: the nth word is about n times as rare as the first (Zipf). */
function someWord(): string {
  return `w${Math.floor(WORDS ** Math.random())}`;
}

function someTurn(): NewTurn {
  const words = Array.from({ length: WORDS_PER_TURN }, someWord);
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return {
    turnId: newId('turn'),
    agent: 'wykeve',
    kind: 'message',
    content: words.join(' '),
    speaker: null,
    timestamp: Date.now(),
    cycleId: null,
    metadata: {},
    terms: { terms: [...counts], length: words.length },
  };
}

const percentile = (sorted: number[], p: number) => sorted[Math.floor((sorted.length - 1) * p)] ?? NaN;

function report(name: string, times: number[], loopMaxMs: number | null): void {
  const sorted = times.toSorted((a, b) => a - b);
  console.log(
    [
      name.padEnd(34),
      `${Math.round(times.length / seconds)} /s`.padStart(10),
      ...[0.5, 0.95, 0.99].map((p) => `p${p * 100} ${percentile(sorted, p).toFixed(2)} ms`.padStart(15)),
      loopMaxMs === null ? '' : `event loop at most ${loopMaxMs.toFixed(1)} ms`.padStart(30),
    ].join(''),
  );
}

function benchDisk(): void {
  const file = openSync(join(folder, 'disk'), 'w');
  const page = Buffer.alloc(4096);
  const times: number[] = [];
  for (const end = performance.now() + seconds * 1000; performance.now() < end;) {
    const start = performance.now();
    writeSync(file, page);
    fdatasyncSync(file);
    times.push(performance.now() - start);
  }
  closeSync(file);
  report('the disk alone', times, null);
}

async function benchAppends(dal: MemoryDAL, name: string, writers: number): Promise<void> {
  const places = await Promise.all(
    Array.from({ length: writers }, async () => {
      const [sessionId, conversationId, now] = [newId('sess'), newId('conv'), Date.now()];
      await dal.sessions.create({
        sessionId,
        tokenHash: sessionId,
        userPreferences: {},
        initialContext: null,
        now,
      });
      await dal.conversations.create({
        sessionId,
        conversationId,
        directive: 'bench',
        turns: [],
        jobs: [],
        now,
      });
      return { sessionId, conversationId };
    }),
  );
  const times: number[] = [];
  const loop = monitorEventLoopDelay({ resolution: 1 });
  loop.enable();
  const end = performance.now() + seconds * 1000;
  await Promise.all(
    places.map(async (place) => {
      while (performance.now() < end) {
        const turns = [someTurn()];
        const now = Date.now();
        const start = performance.now();
        const jobs = [{ kind: 'bench', dedupeKey: 'one', payload: {}, runAt: now }];
        await dal.turns.append({ ...place, turns, jobs, now });
        times.push(performance.now() - start);
      }
    }),
  );
  loop.disable();
  report(`${name}, ${writers} at a time`, times, loop.max / 1e6);
}

try {
  benchDisk();
  for (const threads of [true, false]) {
    const dal = await openSqliteStore({ file: join(folder, `record-${threads}.db`), threads, key });
    for (const writers of [1, 64])
      await benchAppends(dal, threads ? 'in threads' : 'on this thread', writers);
    const problems = await dal.maintenance.check();
    if (problems.length > 0) throw new Error(problems.join('\n'));
    await dal.close();
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
