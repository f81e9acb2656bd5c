/**
 * What one PostgreSQL server takes, for the reckoning in docs/scaling.md: `npm run bench:scale [seconds]`. Durable appends of
 * turns of ordinary length with their index rows, to many sessions at once; the look-up of a long session; bytes for each turn
 * on disk. The server runs on this machine, beside the benchmark, with PostgreSQL's own settings (fsync on).
 */
import { newId } from '../src/base/ids.ts';
import type { MemoryDAL } from '../src/store/memory-dal.ts';
import { openPostgresStore } from '../src/store/postgres/open-postgres-store.ts';
import type { NewTurn } from '../src/store/records.ts';
import { analyse } from '../src/text/analyse.ts';
import { Client } from 'pg';
import { createPostgresServer } from '../test/support/postgres-server.ts';

const seconds = Number(process.argv[2] ?? 5);
const LONG_SESSION = 10_000;
const WORDS = 20_000;
const WORDS_PER_TURN = 60;

/** Words as language has them: the nth word is about n times as rare as the first (Zipf). */
const someWord = () => `w${String(Math.floor(WORDS ** Math.random()))}`;

function someTurn(): NewTurn {
  const content = Array.from({ length: WORDS_PER_TURN }, someWord).join(' ');
  return {
    turnId: newId('turn'),
    agent: 'wykeve',
    kind: 'message',
    content,
    speaker: null,
    timestamp: Date.now(),
    cycleId: null,
    metadata: {},
    terms: analyse(content),
  };
}

async function newPlace(dal: MemoryDAL): Promise<{ sessionId: string; conversationId: string }> {
  const [sessionId, conversationId, now] = [newId('sess'), newId('conv'), Date.now()];
  await dal.sessions.create({
    sessionId,
    tokenHash: sessionId,
    userPreferences: {},
    initialContext: null,
    now,
  });
  await dal.conversations.create({ sessionId, conversationId, directive: 'x', turns: [], jobs: [], now });
  return { sessionId, conversationId };
}

function told(name: string, times: number[], lasted: number): void {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (p: number) => (sorted[Math.floor((sorted.length - 1) * p)] ?? NaN).toFixed(2);
  console.log(
    `${name.padEnd(36)} ${(times.length / lasted).toFixed(0).padStart(6)} /s   p50 ${at(0.5)} ms   p99 ${at(0.99)} ms`,
  );
}

async function appends(dal: MemoryDAL, writers: number): Promise<void> {
  const places = await Promise.all(Array.from({ length: writers }, () => newPlace(dal)));
  const times: number[] = [];
  const end = performance.now() + seconds * 1000;
  await Promise.all(
    places.map(async (place) => {
      while (performance.now() < end) {
        const turns = [someTurn()];
        const start = performance.now();
        await dal.turns.append({ ...place, turns, jobs: [], now: Date.now() });
        times.push(performance.now() - start);
      }
    }),
  );
  told(`appends, ${String(writers)} sessions at a time`, times, seconds);
}

async function longSession(dal: MemoryDAL, vacuum: () => Promise<unknown>): Promise<void> {
  const place = await newPlace(dal);
  for (let at = 0; at < LONG_SESSION; at += 100) {
    await dal.turns.append({
      ...place,
      turns: Array.from({ length: 100 }, someTurn),
      jobs: [],
      now: Date.now(),
    });
  }
  // As autovacuum leaves it after a while.
  await vacuum();
  const times: number[] = [];
  for (let at = 0; at < 100; at += 1) {
    const terms = Array.from({ length: 8 }, someWord);
    const start = performance.now();
    await dal.index.lookup(place.sessionId, terms);
    times.push(performance.now() - start);
  }
  told(`look-ups, 8 words in ${String(LONG_SESSION)} turns`, times, times.reduce((a, b) => a + b, 0) / 1000);
}

const postgres = await createPostgresServer({ settings: ['fsync=on', 'synchronous_commit=on'] });
try {
  const url = await postgres.createDatabase();
  const dal = await openPostgresStore({ url, connections: 16 });
  const database = new Client({ connectionString: url });
  await database.connect();
  try {
    for (const writers of [1, 16, 64]) await appends(dal, writers);
    await longSession(dal, () => database.query('VACUUM ANALYZE'));
    await database.query('VACUUM FULL ANALYZE');
    const { turns } = await dal.maintenance.counts();
    const sizes = await database.query<{ name: string; bytes: string }>(
      `SELECT relname AS name, pg_total_relation_size(oid) AS bytes FROM pg_class
        WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 2 DESC LIMIT 4`,
    );
    const { rows } = await database.query<{ bytes: string }>(
      'SELECT pg_database_size(current_database()) AS bytes',
    );
    console.log(
      `${String(turns)} turns, ${(Number(rows[0]?.bytes) / turns).toFixed(0)} bytes each on disk, of which`,
    );
    for (const { name, bytes } of sizes.rows) {
      console.log(`  ${name.padEnd(24)} ${(Number(bytes) / turns).toFixed(0).padStart(6)} bytes`);
    }
  } finally {
    await database.end();
    await dal.close();
  }
} finally {
  await postgres.remove();
}
