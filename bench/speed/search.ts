/**
 * Searching and writing in one session of memory, beside a plain FTS5 table and mem0's TypeScript library with its default
 * vector store. Each round asks all of them in turn. FTS5 holds the same texts in the same kind of file and is asked on
 * this thread; mem0 is given vectors that are there already, so that what is measured is less than what its search costs.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { pathToFileURL } from 'node:url';
import Database from 'better-sqlite3';
import { newId } from '../../src/base/ids.ts';
import { createRetriever } from '../../src/memory/retrieval/retriever.ts';
import { openSqliteStore } from '../../src/store/sqlite/open-sqlite-store.ts';
import { STOP_WORDS } from '../../src/text/stop-words.ts';
import { generator, question, sentence, someTurn, storeSession } from '../memory-data.ts';
import { leftOut, otherPackage } from './others.ts';
import { progress } from './progress.ts';
import { ending } from './running.ts';
import { shown, spreadOf, type Spread } from './spread.ts';

const RESULTS = 40;
/** A slow memory is called less often than it could be, but so often. */
const LONGEST_MS = 1_500;
const FEWEST = 3;
/** Those of the usual models, and of OpenAI's small one. */
const DIMENSIONS = [384, 1536];

/** One place where things are remembered. */
interface Memory {
  name: string;
  search(): Promise<unknown>;
  write(): Promise<unknown>;
}

export interface SearchRow {
  memory: string;
  /** Medians of the rounds, in milliseconds. */
  searchMs: Spread;
  writeMs: Spread;
  /** The longest time that a search held this process's event loop, in milliseconds. */
  heldMs: number;
}

export async function measureSearch(sizes: {
  turns: number;
  rounds: number;
  /** Searches, and writes, in a round. */
  calls: number;
}): Promise<SearchRow[]> {
  const folder = mkdtempSync(join(tmpdir(), 'ccc-bench-'));
  ending(() => rmSync(folder, { recursive: true, force: true }));
  progress(`filling memories of ${String(sizes.turns)} turns`);
  const memories = [
    await ccc(folder, sizes.turns),
    fts5(folder, sizes.turns),
    ...(await mem0(folder, sizes.turns)),
  ];
  const times = new Map(
    memories.map((memory) => [memory, { search: [] as number[], write: [] as number[], held: 0 }]),
  );
  for (let round = -1; round < sizes.rounds; round += 1) {
    for (const memory of memories) {
      progress(`${memory.name}: round ${String(round + 1)} of ${String(sizes.rounds)}`);
      const loop = monitorEventLoopDelay({ resolution: 1 });
      loop.enable();
      const search = await medianOf(sizes.calls, () => memory.search());
      loop.disable();
      const write = await medianOf(sizes.calls, () => memory.write());
      const own = times.get(memory);
      if (round < 0 || !own) continue;
      own.search.push(search);
      own.write.push(write);
      own.held = Math.max(own.held, loop.max / 1e6);
    }
  }
  progress('');
  const rows = [...times].map(([{ name }, { search, write, held }]) => ({
    memory: name,
    searchMs: spreadOf(search),
    writeMs: spreadOf(write),
    heldMs: held,
  }));
  print(rows, sizes.turns);
  return rows;
}

async function medianOf(calls: number, call: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  const end = performance.now() + LONGEST_MS;
  for (let at = 0; at < calls && (at < FEWEST || performance.now() < end); at += 1) {
    const begun = performance.now();
    await call();
    times.push(performance.now() - begun);
    // So that the timer which watches the event loop has its turn.
    await new Promise((resolve) => setImmediate(resolve));
  }
  return spreadOf(times).median;
}

async function ccc(folder: string, turns: number): Promise<Memory> {
  const dal = await openSqliteStore({ file: join(folder, 'ccc.db'), threads: true });
  ending(() => dal.close());
  const sessionId = await storeSession(dal, turns, 5);
  const conversationId = newId('conv');
  const now = Date.now();
  await dal.conversations.create({ sessionId, conversationId, directive: '', turns: [], jobs: [], now });
  const retriever = createRetriever({ dal });
  const [questions, words] = [generator(7), generator(11)];
  return {
    name: 'CCC',
    search: () => retriever.retrieve({ sessionId, query: question(questions), limit: RESULTS, now }),
    write: () =>
      dal.turns.append({ sessionId, conversationId, turns: [someTurn(words, now)], jobs: [], now }),
  };
}

function fts5(folder: string, turns: number): Memory {
  const database = new Database(join(folder, 'fts5.db'));
  ending(() => database.close());
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');
  database.exec(`CREATE VIRTUAL TABLE said USING fts5(text, tokenize = 'porter')`);
  const insert = database.prepare('INSERT INTO said (text) VALUES (?)');
  const words = generator(5);
  database.transaction(() => {
    for (let at = 0; at < turns; at += 1) insert.run(sentence(words));
  })();
  const select = database.prepare(
    `SELECT rowid, text FROM said WHERE said MATCH ? ORDER BY bm25(said) LIMIT ${String(RESULTS)}`,
  );
  const questions = generator(7);
  return {
    name: 'FTS5, bm25()',
    search: () => {
      const terms = question(questions).toLowerCase().match(/\w+/g) ?? [];
      const telling = terms.filter((term) => !STOP_WORDS.has(term)).map((term) => `"${term}"`);
      return Promise.resolve(select.all(telling.join(' OR ')));
    },
    write: () => Promise.resolve(insert.run(sentence(words))),
  };
}

interface VectorStore {
  insert(vectors: number[][], ids: string[], payloads: object[]): Promise<void>;
  search(query: number[], limit: number, filters: object): Promise<unknown[]>;
}
type Mem0 = { MemoryVectorStore: new (options: { dimension: number; dbPath: string }) => VectorStore };

async function mem0(folder: string, count: number): Promise<Memory[]> {
  const library = await loadMem0();
  if (!library) return [];
  const random = generator(3);
  const memories: Memory[] = [];
  for (const dimension of DIMENSIONS) {
    progress(`filling mem0 with ${String(count)} vectors of ${String(dimension)}`);
    const vector = () => Array.from({ length: dimension }, () => random() - 0.5);
    const store = new library.MemoryVectorStore({
      dimension,
      dbPath: join(folder, `mem0-${String(dimension)}.db`),
    });
    let stored = 0;
    const insert = (many: number) => {
      const ids = Array.from({ length: many }, () => `memory-${String((stored += 1))}`);
      return store.insert(
        ids.map(vector),
        ids,
        ids.map((id) => ({ data: id, user_id: 'ana' })),
      );
    };
    await insert(count);
    memories.push({
      name: `mem0's default store, ${String(dimension)} dimensions`,
      search: () => store.search(vector(), RESULTS, { user_id: 'ana' }),
      write: () => insert(1),
    });
  }
  return memories;
}

async function loadMem0(): Promise<Mem0 | null> {
  const entry = otherPackage('mem0ai/oss');
  if (entry === null) {
    leftOut('mem0');
    return null;
  }
  try {
    return (await import(pathToFileURL(entry).href)) as Mem0;
  } catch (error) {
    leftOut('mem0', error instanceof Error ? error.message : String(error));
    return null;
  }
}

function print(rows: readonly SearchRow[], turns: number): void {
  console.log(`memory search and write, ${turns.toLocaleString('en')} turns`);
  console.table(
    Object.fromEntries(
      rows.map(({ memory, searchMs, writeMs, heldMs }) => [
        memory,
        {
          'search, ms': shown(searchMs, 2),
          'write, ms': shown(writeMs, 2),
          'event loop held, ms': heldMs.toFixed(1),
        },
      ]),
    ),
  );
}
