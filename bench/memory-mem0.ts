/**
 * One search in mem0's TypeScript library with its default vector store, for scale. Its embedding model is left out:
 * the query's vector is there already, so what is measured is a lower bound of what its search costs.
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { pathToFileURL } from 'node:url';
import { generator } from './memory-data.ts';

interface VectorStore {
  insert(vectors: number[][], ids: string[], payloads: object[]): Promise<void>;
  search(query: number[], limit: number, filters: object): Promise<unknown[]>;
}
type Mem0 = { MemoryVectorStore: new (options: { dimension: number; dbPath: string }) => VectorStore };

const DIMENSIONS = [384, 1536];
const SEARCHES = 10;

/**
 * @param from the folder whose node_modules may hold mem0ai
 * @param ours our median for as many turns, in milliseconds
 */
export async function compareWithMem0(
  from: string,
  folder: string,
  count: number,
  ours: number,
): Promise<void> {
  const mem0 = await load(from);
  if (!mem0) {
    console.log('mem0ai is not installed, so nothing is compared with it (npm install --no-save mem0ai).');
    return;
  }
  const random = generator(3);
  for (const dimension of DIMENSIONS) {
    const vector = () => Array.from({ length: dimension }, () => random() - 0.5);
    const store = new mem0.MemoryVectorStore({
      dimension,
      dbPath: join(folder, `mem0-${String(dimension)}.db`),
    });
    const ids = Array.from({ length: count }, (_, i) => `memory-${String(i)}`);
    await store.insert(
      ids.map(vector),
      ids,
      ids.map((id) => ({ data: id, user_id: 'ana' })),
    );
    const loop = monitorEventLoopDelay({ resolution: 1 });
    const times: number[] = [];
    await store.search(vector(), 40, { user_id: 'ana' });
    loop.enable();
    for (let i = 0; i < SEARCHES; i += 1) {
      const query = vector();
      const start = performance.now();
      await store.search(query, 40, { user_id: 'ana' });
      times.push(performance.now() - start);
      // So that the delay of this search is seen by the timer that looks for it.
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    loop.disable();
    const median = times.toSorted((a, b) => a - b)[Math.floor(SEARCHES / 2)] ?? NaN;
    console.log(
      `mem0's default store, ${count.toLocaleString('en')} memories of ${String(dimension)} dimensions: ${median.toFixed(0)} ms, ` +
        `event loop held for ${(loop.max / 1e6).toFixed(0)} ms; ours is ${(median / ours).toFixed(0)} times as fast`,
    );
  }
}

async function load(from: string): Promise<Mem0 | null> {
  try {
    const entry = createRequire(join(from, 'package.json')).resolve('mem0ai/oss');
    return (await import(pathToFileURL(entry).href)) as Mem0;
  } catch {
    return null;
  }
}
