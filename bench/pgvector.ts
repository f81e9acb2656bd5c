/**
 * What an index over all sessions would give where the vectors of one session are compared: `npm run bench:pgvector`. On
 * PGlite (PostgreSQL in WebAssembly) with its pgvector, so the times are several times those of a real server; what counts is
 * how they stand to each other, and what is found. See docs/decisions/0014-pgvector.md.
 */
import { PGlite } from '@electric-sql/pglite';
import { vector } from '@electric-sql/pglite-pgvector';

const SESSIONS = 10;
const TURNS = 2_000;
const DIMENSION = 384;
const WANTED = 12;
const QUESTIONS = 20;

function unit(): Float32Array {
  const values = Float32Array.from({ length: DIMENSION }, () => Math.random() - 0.5);
  const length = Math.hypot(...values);
  return values.map((value) => value / length);
}
const textOf = (values: Float32Array) => `[${values.join(',')}]`;
const median = (times: number[]) => times.toSorted((a, b) => a - b)[times.length >> 1] ?? NaN;

const database = await PGlite.create({ extensions: { vector } });
await database.exec(
  `CREATE EXTENSION vector;
   CREATE TABLE e (session_id text, turn integer, embedding vector(${String(DIMENSION)}), PRIMARY KEY (session_id, turn))`,
);
const held = new Map<string, Float32Array[]>();
for (let session = 0; session < SESSIONS; session += 1) {
  const vectors = Array.from({ length: TURNS }, unit);
  held.set(`s${String(session)}`, vectors);
  for (let at = 0; at < TURNS; at += 200) {
    const rows = vectors
      .slice(at, at + 200)
      .map((one, i) => `('s${String(session)}', ${String(at + i)}, '${textOf(one)}')`);
    await database.exec(`INSERT INTO e VALUES ${rows.join(',')}`);
  }
}
await database.exec('ANALYZE e');
const questions = Array.from({ length: QUESTIONS }, () => textOf(unit()));
const nearest = `SELECT turn FROM e WHERE session_id = $1 ORDER BY embedding <#> $2::vector LIMIT ${String(WANTED)}`;

async function ask(): Promise<{ times: number[]; found: number[][] }> {
  const times: number[] = [];
  const found: number[][] = [];
  for (const question of questions) {
    const start = performance.now();
    const { rows } = await database.query<{ turn: number }>(nearest, ['s3', question]);
    times.push(performance.now() - start);
    found.push(rows.map(({ turn }) => turn));
  }
  return { times, found };
}

const exact = await ask();
const all: number[] = [];
for (const question of questions) {
  const start = performance.now();
  await database.query(`SELECT turn, -(embedding <#> $2::vector) AS cosine FROM e WHERE session_id = $1`, [
    's3',
    question,
  ]);
  all.push(performance.now() - start);
}
const inProcess: number[] = [];
for (let at = 0; at < QUESTIONS; at += 1) {
  const question = unit();
  const start = performance.now();
  for (const one of held.get('s3') ?? []) {
    let sum = 0;
    for (let i = 0; i < DIMENSION; i += 1) sum += (one[i] as number) * (question[i] as number);
    if (Number.isNaN(sum)) throw new Error('no number');
  }
  inProcess.push(performance.now() - start);
}
const start = performance.now();
await database.exec('CREATE INDEX e_hnsw ON e USING hnsw (embedding vector_ip_ops)');
const built = performance.now() - start;
// Left to itself the planner takes the primary key.
await database.exec('SET enable_sort = off; SET enable_bitmapscan = off; DROP INDEX IF EXISTS none');
await database.exec('ALTER TABLE e DROP CONSTRAINT e_pkey');
const hnsw = await ask();
const recall =
  hnsw.found.reduce(
    (sum, turns, at) => sum + turns.filter((turn) => exact.found[at]?.includes(turn)).length / WANTED,
    0,
  ) / QUESTIONS;
console.log(
  `${String(SESSIONS)} sessions of ${String(TURNS)} vectors of ${String(DIMENSION)} dimensions, medians:`,
);
console.log(
  `  exact, by the session's key, the ${String(WANTED)} best   ${median(exact.times).toFixed(1)} ms`,
);
console.log(`  exact, all cosines of the session (what CCC asks)  ${median(all).toFixed(1)} ms`);
console.log(`  in the server's process, vectors at hand           ${median(inProcess).toFixed(1)} ms`);
console.log(
  `  HNSW over all sessions, then those of the session  ${median(hnsw.times).toFixed(1)} ms, finds ${(100 * recall).toFixed(0)} % of the ${String(WANTED)} best; ` +
    `built in ${(built / 1000).toFixed(0)} s`,
);
await database.close();
