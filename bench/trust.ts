/**
 * What masking secrets costs, and whether removing what is not kept holds others up: `npm run bench:trust`. Flags:
 * `--turns 3000` and `--events 2000` that are removed.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { silentLogger } from '../src/base/logger.ts';
import { createCausalMemory } from '../src/causal/create-causal-memory.ts';
import { createMemoryService } from '../src/memory/create-memory-service.ts';
import { createRetention } from '../src/memory/retention/retention.ts';
import type { MemoryDAL } from '../src/store/memory-dal.ts';
import { openSqliteStore } from '../src/store/sqlite/open-sqlite-store.ts';
import { createMasker } from '../src/text/redaction/masker.ts';

const { values } = parseArgs({
  options: {
    turns: { type: 'string', default: '3000' },
    events: { type: 'string', default: '2000' },
  },
});
const DAY = 86_400_000;

const at = (sorted: number[], share: number) =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
function line(name: string, times: number[]): void {
  const sorted = times.toSorted((a, b) => a - b);
  const shown = [0.5, 0.99, 1].map((share) => (at(sorted, share) ?? 0).toFixed(3));
  console.log(
    `${name.padEnd(44)} n ${String(times.length).padStart(5)}   p50, p99, most: ${shown.join(', ')} ms`,
  );
}

function masking(): void {
  const masker = createMasker();
  const prose =
    'The quick brown fox, in 2024, went to https://example.com/path?x=1 and said: key points are these. ';
  const code =
    'const token = await get({ apiKey: process.env.API_KEY2 }); "max_tokens": 1024, key: "user:v2:1234"\n';
  const run = (name: string, text: string, times: number) => {
    for (let i = 0; i < Math.min(200, times); i += 1) masker.mask(text);
    const taken = Array.from({ length: times }, () => {
      const began = performance.now();
      masker.mask(text);
      return performance.now() - began;
    });
    line(`masking ${name}`, taken);
  };
  run('1 kB of prose', prose.repeat(10), 2_000);
  run('4 kB of code', code.repeat(40), 500);
  run('1 MB of prose', prose.repeat(10_000), 10);
  run('1 MB of code', code.repeat(10_000), 10);
  const hostile = [
    'sk-',
    '://a:',
    'eyJ.',
    '-----BEGIN RSA PRIVATE KEY-----\n',
    'AKIA ',
    'password=',
    'key=',
    'xox',
  ];
  for (const piece of hostile) {
    run(`1 MB of ${JSON.stringify(piece)}`, piece.repeat(Math.ceil(1e6 / piece.length)), 3);
  }
}

/** The record with the time of each call of its retention. */
function timed(dal: MemoryDAL, times: Map<string, number[]>): MemoryDAL {
  const methods = Object.entries(dal.retention).map(([name, method]) => [
    name,
    async (...args: unknown[]) => {
      const began = performance.now();
      const result: unknown = await (method as (...args: unknown[]) => Promise<unknown>)(...args);
      times.set(name, [...(times.get(name) ?? []), performance.now() - began]);
      return result;
    },
  ]);
  return { ...dal, retention: Object.fromEntries(methods) as MemoryDAL['retention'] };
}

async function removing(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'ccc-bench-'));
  const dal = await openSqliteStore({ file: join(folder, 'ccc.db'), threads: true });
  const memory = createMemoryService({ dal });
  const causal = createCausalMemory({ store: dal.causal, projectionFile: null });
  const words = Array.from({ length: 3_000 }, (_, i) => `word${i.toString(36)}`);
  const text = (count: number) =>
    Array.from({ length: count }, () => words[Math.floor(Math.random() * words.length)]).join(' ');
  const old = Date.now() - 60 * DAY;
  const { session } = await memory.createSession({ userPreferences: { memory_retention_days: 30 } });
  const { sessionId } = session;
  for (let stored = 0; stored < Number(values.turns); stored += 100) {
    const { conversation } = await memory.createConversation({ sessionId, directive: text(20) });
    const turns = Array.from({ length: 100 }, () => ({
      agent: 'wykeve' as const,
      content: text(150),
      timestamp: old,
    }));
    await memory.appendTurns({ conversationId: conversation.conversationId, turns });
  }
  const chained: string[] = [];
  for (let stored = 0; stored < Number(values.events); stored += 500) {
    const inputs = Array.from({ length: 500 }, (_, i) => ({ text: text(12), happenedAt: old + stored + i }));
    chained.push(...(await causal.addEvents(sessionId, inputs)).map(({ eventId }) => eventId));
  }
  for (const [place, effectId] of chained.entries()) {
    const causeId = chained[place - 1];
    if (causeId !== undefined && place % 10 !== 0)
      await causal.addLinks(sessionId, [{ causeId, effectId, relation: 'caused' }]);
  }

  const other = await memory.createSession({});
  const { conversation } = await memory.createConversation({
    sessionId: other.session.sessionId,
    directive: 'x',
  });
  const write = async () => {
    const began = performance.now();
    const turns = [{ agent: 'codey' as const, content: 'A short turn.' }];
    await memory.appendTurns({ conversationId: conversation.conversationId, turns });
    const took = performance.now() - began;
    await new Promise((resolve) => setTimeout(resolve, 5));
    return took;
  };
  const before: number[] = [];
  for (let i = 0; i < 200; i += 1) before.push(await write());
  const during: number[] = [];
  const times = new Map<string, number[]>();
  const clock = { now: () => Date.now() };
  const retention = createRetention({ dal: timed(dal, times), days: null, clock, logger: silentLogger });
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  let done = false;
  const began = performance.now();
  const pass = retention.pass().finally(() => (done = true));

  while (!done) during.push(await write());
  await pass;
  console.log(`removed in ${((performance.now() - began) / 1000).toFixed(1)} s`);
  for (const [name, taken] of times) line(name, taken);
  line('a turn of another session before', before);
  line('the same meanwhile', during);
  console.log(
    `event loop held, p99 and most: ${(delay.percentile(99) / 1e6).toFixed(1)}, ${(delay.max / 1e6).toFixed(1)} ms`,
  );
  await causal.close();
  await dal.close();
  rmSync(folder, { recursive: true });
}

masking();
await removing();
