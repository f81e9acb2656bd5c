/**
 * What comparing a question with all vectors of a session costs, the model's own time left out:
 * `npm run bench:dense -- [--turns 10000] [--dimensions 384] [--queries 100]`.
 * The vectors are made up: this measures time, not how well anything is found.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { newId } from '../src/base/ids.ts';
import { createRetriever } from '../src/memory/retrieval/retriever.ts';
import { toUnitLength } from '../src/models/embeddings/unit-length.ts';
import { openSqliteStore } from '../src/store/sqlite/open-sqlite-store.ts';
import { generator, question, someTurn } from './memory-data.ts';

const { values } = parseArgs({
  options: {
    turns: { type: 'string', default: '10000' },
    dimensions: { type: 'string', default: '384' },
    queries: { type: 'string', default: '100' },
  },
});
const [turns, dimensions, queries] = [values.turns, values.dimensions, values.queries].map(Number) as [
  number,
  number,
  number,
];
const PER_CONVERSATION = 50;
const model = 'made up';
const random = generator(7);
const someVector = () => toUnitLength(Float32Array.from({ length: dimensions }, () => random() - 0.5));

function report(name: string, times: number[]): void {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (p: number) => (sorted[Math.floor((sorted.length - 1) * p)] ?? NaN).toFixed(1);
  console.log(`${name.padEnd(44)} p50 ${at(0.5).padStart(7)} ms   p95 ${at(0.95).padStart(7)} ms`);
}

const folder = mkdtempSync(join(tmpdir(), 'ccc-bench-'));
try {
  const dal = await openSqliteStore({ file: join(folder, 'record.db'), threads: true });
  const sessionId = newId('sess');
  const now = Date.now();
  await dal.sessions.create({ sessionId, tokenHash: 't', userPreferences: {}, initialContext: null, now });
  const writes: number[] = [];
  for (let at = 0; at < turns; at += PER_CONVERSATION) {
    const conversationId = newId('conv');
    const some = Array.from({ length: PER_CONVERSATION }, () => someTurn(random, now));
    await dal.conversations.create({ sessionId, conversationId, directive: '', turns: some, jobs: [], now });
    const vectors = some.map((_, i) => ({ turnNumber: i + 1, vector: someVector() }));
    const begun = performance.now();
    await dal.vectors.write({ sessionId, conversationId, model, throughTurn: PER_CONVERSATION, vectors });
    writes.push(performance.now() - begun);
  }
  console.log(`${String(turns)} turns, ${String(dimensions)} dimensions, one session, SQLite in threads`);
  report(`storing ${String(PER_CONVERSATION)} vectors, durably`, writes);

  const compare = async () => {
    const vector = someVector();
    for (;;) {
      const found = await dal.vectors.compare({ sessionId, model, vector });
      if (found) return found;
    }
  };
  const cold = performance.now();
  await compare();
  console.log(
    `${'the first question: vectors read'.padEnd(44)}     ${(performance.now() - cold).toFixed(1)} ms`,
  );

  const timed = async (work: () => Promise<unknown>) => {
    const times: number[] = [];
    for (let i = 0; i < queries; i += 1) {
      const begun = performance.now();
      await work();
      times.push(performance.now() - begun);
    }
    return times;
  };
  const measured = async (name: string, work: () => Promise<unknown>) => {
    const loop = monitorEventLoopDelay({ resolution: 1 });
    loop.enable();
    report(name, await timed(work));
    loop.disable();
    const held = [loop.percentile(99), loop.max].map((ns) => Math.max(0, ns / 1e6 - 1).toFixed(1));
    console.log(`${''.padEnd(44)} event loop held: p99 ${held[0] ?? ''} ms, at most ${held[1] ?? ''} ms`);
  };
  const ask = (retriever: ReturnType<typeof createRetriever>) => () =>
    retriever.retrieve({ sessionId, query: question(random), limit: 40, now });
  await measured('comparing with all vectors', compare);
  await measured('a question, by words', ask(createRetriever({ dal })));
  const dense = { similarities: compare };
  await measured('a question, by words and meaning', ask(createRetriever({ dal, dense })));
  await dal.close();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
