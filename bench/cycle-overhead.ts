/**
 * What a cycle costs beside its model: a three-call cycle with memory through the HTTP API, on a session of 1,000 turns,
 * with an upstream that answers at once. From each cycle's time the same three calls, made straight to the upstream, are
 * taken off. Prints milliseconds at the median and the 95th percentile.
 *
 *     npm run bench:cycle [-- cycles]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { request } from 'undici';
import { buildApp } from '../src/app.ts';
import { systemClock } from '../src/base/clock.ts';
import { silentLogger } from '../src/base/logger.ts';
import { loadSettings } from '../src/config/load.ts';
import { createCycleService } from '../src/covenant/create-cycle-service.ts';
import { createHttpServer } from '../src/http/http-server.ts';
import { ServerState } from '../src/http/operation/server-state.ts';
import { unavailable } from '../src/http/unavailable.ts';
import { createMemoryService } from '../src/memory/create-memory-service.ts';
import type { ChatRequest } from '../src/models/chat-types.ts';
import { createOpenAiProvider } from '../src/models/openai/openai-provider.ts';
import { openSqliteStore } from '../src/store/sqlite/open-sqlite-store.ts';
import { role, startUpstream, streamed } from '../test/support/upstream.ts';

const cycles = Number(process.argv[2] ?? 200);
const WARM_UP = 30;
const TURNS = 1_000;
const APPROVE = '{"decision":"approve","issues":[],"resolved":[],"criteria":[],"lesson":null}';
const WORDS = 'river valley bridge market garden teacher violin winter harbour letter cousin recipe'.split(
  ' ',
);
const ANSWER = 'The violin teacher lives by the harbour, near the old bridge.';

const folder = mkdtempSync(join(tmpdir(), 'ccc-bench-'));
const upstream = await startUpstream();
upstream
  .on(role('guidance'), streamed(['Answer from the memory, in one sentence.']))
  .on(role('draft'), streamed(ANSWER.split(/(?<= )/)))
  .on(role('verdict'), streamed([APPROVE]));

const { settings } = loadSettings({ OPENAI_BASE_URL: upstream.baseUrl, OPENAI_API_KEY: 'sk-bench' });
const dal = await openSqliteStore({ file: join(folder, 'ccc.db'), threads: true });
const memory = createMemoryService({ dal });
const provider = createOpenAiProvider({
  baseUrl: upstream.baseUrl,
  apiKey: 'sk-bench',
  model: 'm',
  timeoutMs: 60_000,
  maxRetries: 0,
});
const service = createCycleService({
  dal,
  memory,
  provider,
  models: { beatrice: undefined, codey: undefined },
  clock: systemClock,
  logger: silentLogger,
});
const server = createHttpServer(
  buildApp({
    version: '0',
    settings,
    logger: silentLogger,
    clock: systemClock,
    registry: new Registry(),
    state: new ServerState(),
    provider,
    dal,
    memory,
    cycles: service,
    causal: unavailable('not measured'),
  }),
);
const url = `http://127.0.0.1:${String(await server.listen('127.0.0.1', 0))}`;

const { session } = await memory.createSession({});
for (let at = 0; at < TURNS; at += 50) {
  const { conversation } = await memory.createConversation({
    sessionId: session.sessionId,
    directive: `Talk ${String(at)}`,
    turns: [],
  });
  await memory.appendTurns({
    conversationId: conversation.conversationId,
    turns: Array.from({ length: 50 }, (_, i) => ({
      agent: i % 2 === 0 ? ('wykeve' as const) : ('codey' as const),
      content: `${WORDS[(at + i * 7) % 12] ?? ''} and ${WORDS[(at * 3 + i) % 12] ?? ''}, number ${String(at + i)}.`,
    })),
  });
}

const overhead: number[] = [];
for (let i = 0; i < cycles + WARM_UP; i += 1) {
  const began = performance.now();
  const { body } = await request(`${url}/v2/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'm',
      session_id: session.sessionId,
      messages: [{ role: 'user', content: `Where does the violin teacher live? (${String(i)})` }],
    }),
  });
  const { covenant } = (await body.json()) as { covenant: { outcome: string } };
  const whole = performance.now() - began;
  if (covenant.outcome !== 'approved') throw new Error(`the cycle ended as ${covenant.outcome}`);
  const calls = upstream.calls.splice(0);
  if (calls.length !== 3) throw new Error(`${String(calls.length)} calls`);
  const alone = performance.now();
  for (const call of calls) {
    await provider.chat(call.json as ChatRequest, {
      signal: new AbortController().signal,
      onChunk: () => undefined,
    });
  }
  upstream.calls.splice(0);
  if (i >= WARM_UP) overhead.push(whole - (performance.now() - alone));
}
overhead.sort((a, b) => a - b);
const at = (share: number) => (overhead[Math.floor(overhead.length * share)] ?? NaN).toFixed(1);
console.log(
  `Load ${loadavg()[0]?.toFixed(1) ?? '?'}. A three-call cycle with memory, ${String(TURNS)} turns, ${String(cycles)} cycles: ` +
    `${at(0.5)} ms beside its calls at the median, ${at(0.95)} ms at the 95th percentile.`,
);
await server.stop(0);
await service.drain(0);
await dal.close();
await provider.close();
await upstream.close();
rmSync(folder, { recursive: true, force: true });
