/**
 * What one PostgreSQL server takes, for docs/scaling.md: `npm run bench:scale -- [--turns 1000000] [--seconds 5]`. Sessions of
 * 1,000 turns of 25 words, 10,000 turns in all and ten times as many until `--turns`: how long it takes to put together the
 * context of a question, and what a turn takes on disk. Then 1, 2 and 4 servers (processes) at once: durable appends and
 * contexts a second. The database runs on this machine, beside the benchmark, with `fsync` on.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Client } from 'pg';
import { createMemoryService } from '../src/memory/create-memory-service.ts';
import type { MemoryService } from '../src/memory/memory-service.ts';
import { openPostgresStore } from '../src/store/postgres/open-postgres-store.ts';
import { createPostgresServer } from '../test/support/postgres-server.ts';

const { values } = parseArgs({
  options: {
    turns: { type: 'string', default: '1000000' },
    seconds: { type: 'string', default: '5' },
    /** A process that plays one server: the database's address, and what it does. */
    server: { type: 'string' },
    work: { type: 'string' },
    sessions: { type: 'string', default: '0' },
  },
});
const seconds = Number(values.seconds);
const SESSION_TURNS = 1_000;
const WORDS = 20_000;
const WORDS_PER_TURN = 25;
const AT_ONCE = 16;
const QUESTIONS = 400;

/** Words as language has them: the nth word is about n times as rare as the first (Zipf). */
const someWords = (count: number) =>
  Array.from({ length: count }, () => `w${String(Math.floor(WORDS ** Math.random()))}`).join(' ');

const percentile = (times: number[], p: number) =>
  times.toSorted((a, b) => a - b)[Math.floor((times.length - 1) * p)] ?? NaN;

async function openServer(url: string) {
  const dal = await openPostgresStore({ url, connections: 10 });
  return { dal, memory: createMemoryService({ dal }) };
}

const nameOf = (session: number) => `sess_bench_${String(session)}`;

/** The context of a question to one of the first sessions. Returns its time in milliseconds. */
async function ask(memory: MemoryService, sessions: number): Promise<number> {
  const start = performance.now();
  await memory.buildContext({
    sessionId: nameOf(Math.floor(Math.random() * sessions)),
    conversationId: null,
    directive: someWords(8),
    maxTurns: 12,
    maxTokens: 2_000,
    includeAgentState: true,
    includeCausal: false,
    alreadySent: [],
  });
  return performance.now() - start;
}

/** Appends turns to a session of its own until the time is over. Returns how long each took. */
async function append(memory: MemoryService, until: number): Promise<number[]> {
  const { session } = await memory.createSession({});
  const { conversation } = await memory.createConversation({
    sessionId: session.sessionId,
    directive: 'x',
    turns: [],
  });
  const times: number[] = [];
  while (performance.now() < until) {
    const start = performance.now();
    await memory.appendTurns({
      conversationId: conversation.conversationId,
      turns: [{ agent: 'wykeve', content: someWords(WORDS_PER_TURN) }],
    });
    times.push(performance.now() - start);
  }
  return times;
}

async function playServer(url: string): Promise<void> {
  const { dal, memory } = await openServer(url);
  const until = performance.now() + seconds * 1000;
  const sessions = Number(values.sessions);
  const loop = async () => {
    if (values.work === 'append') return append(memory, until);
    const times: number[] = [];
    while (performance.now() < until) times.push(await ask(memory, sessions));
    return times;
  };
  const times = (await Promise.all(Array.from({ length: AT_ONCE }, loop))).flat();
  console.log(JSON.stringify(times));
  await dal.close();
}

async function playServers(count: number, work: 'append' | 'ask', url: string, sessions: number) {
  const all = await Promise.all(
    Array.from({ length: count }, async () => {
      const options = ['--server', url, '--work', work, '--seconds', String(seconds)];
      const child = spawn(
        process.execPath,
        ['--import', 'tsx', fileURLToPath(import.meta.url), ...options, '--sessions', String(sessions)],
        { stdio: ['ignore', 'pipe', 'inherit'] },
      );
      let text = '';
      child.stdout.on('data', (part: Buffer) => (text += part.toString()));
      const [code] = (await once(child, 'close')) as [number | null];
      if (code !== 0) throw new Error(`A server ended with code ${String(code)}.`);
      return JSON.parse(text) as number[];
    }),
  );
  const times = all.flat();
  console.log(
    `${String(count)} servers, ${work === 'append' ? 'appends' : 'contexts'}: ${(times.length / seconds).toFixed(0)} /s   ` +
      `p50 ${percentile(times, 0.5).toFixed(1)} ms   p95 ${percentile(times, 0.95).toFixed(1)} ms`,
  );
}

/** One session of 1,000 turns by the record itself; the others are copies of its rows. */
async function firstSession(url: string): Promise<void> {
  const { dal, memory } = await openServer(url);
  const now = Date.now();
  await dal.sessions.create({
    sessionId: nameOf(0),
    tokenHash: 'of nobody',
    userPreferences: {},
    initialContext: null,
    now,
  });
  const { conversation } = await memory.createConversation({
    sessionId: nameOf(0),
    directive: 'x',
    turns: [],
  });
  for (let at = 0; at < SESSION_TURNS; at += 100) {
    await memory.appendTurns({
      conversationId: conversation.conversationId,
      turns: Array.from({ length: 100 }, () => ({
        agent: 'wykeve' as const,
        content: someWords(WORDS_PER_TURN),
      })),
    });
  }
  await dal.close();
}

const COPIED = [
  'sessions',
  'conversations',
  'turns',
  'turn_terms',
  'turn_index_blocks',
  'turn_index_speakers',
];

async function copySessions(database: Client, from: number, to: number): Promise<void> {
  for (const table of COPIED) {
    const { rows } = await database.query<{ name: string }>(
      `SELECT column_name AS name FROM information_schema.columns
        WHERE table_name = $1 AND column_name NOT IN ('session_id', 'session_key')`,
      [table],
    );
    const names = rows.map(({ name }) => name).join(', ');
    await database.query(
      `INSERT INTO ${table} (session_id, ${names})
       SELECT 'sess_bench_' || n, ${names} FROM generate_series(${String(from)}, ${String(to - 1)}) AS n, ${table}
        WHERE session_id = '${nameOf(0)}'`,
    );
  }
}

async function measure(url: string, database: Client): Promise<number> {
  await firstSession(url);
  const { dal, memory } = await openServer(url);
  let sessions = 1;
  let smallest = NaN;
  for (let wanted = 10_000; wanted <= Number(values.turns); wanted *= 10) {
    await copySessions(database, sessions, wanted / SESSION_TURNS);
    sessions = wanted / SESSION_TURNS;
    // As autovacuum leaves it after a while.
    await database.query('VACUUM ANALYZE');
    await database.query('CHECKPOINT');
    const times: number[] = [];
    for (let at = 0; at < QUESTIONS; at += 1) times.push(await ask(memory, sessions));
    const p95 = percentile(times, 0.95);
    if (Number.isNaN(smallest)) smallest = p95;
    const size = await database.query<{ bytes: string }>(
      'SELECT pg_database_size(current_database()) AS bytes',
    );
    console.log(
      `${String(wanted).padStart(8)} turns: context p50 ${percentile(times, 0.5).toFixed(1)} ms   p95 ${p95.toFixed(1)} ms ` +
        `(${(p95 / smallest).toFixed(2)} times that of the first row)   ${(Number(size.rows[0]?.bytes) / wanted / 1000).toFixed(1)} kB a turn`,
    );
  }
  await dal.close();
  return sessions;
}

async function main(): Promise<void> {
  const postgres = await createPostgresServer({
    settings: ['fsync=on', 'synchronous_commit=on', 'shared_buffers=512MB', 'max_wal_size=4GB'],
  });
  try {
    const url = await postgres.createDatabase();
    const database = new Client({ connectionString: url });
    await database.connect();
    try {
      const sessions = await measure(url, database);
      for (const work of ['append', 'ask'] as const) {
        for (const count of [1, 2, 4]) await playServers(count, work, url, sessions);
      }
    } finally {
      await database.end();
    }
  } finally {
    await postgres.remove();
  }
}

await (values.server === undefined ? main() : playServer(values.server));
