import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { silentLogger } from '../../../src/base/logger.ts';
import { JobRunner } from '../../../src/jobs/job-runner.ts';
import { createMemoryService } from '../../../src/memory/create-memory-service.ts';
import { createDenseRetrieval } from '../../../src/memory/embeddings/create-dense-retrieval.ts';
import { EMBED_TURNS } from '../../../src/memory/embeddings/jobs.ts';
import { createRetriever } from '../../../src/memory/retrieval/retriever.ts';
import type { EmbeddingProvider } from '../../../src/models/embeddings/embedding-provider.ts';
import { LocalEmbeddings } from '../../../src/models/embeddings/local/local-embeddings.ts';
import { openSqliteStore } from '../../../src/store/sqlite/open-sqlite-store.ts';
import { writeTinyModel } from '../../support/tiny-model.ts';
import { newSession, recordFile, told } from '../support.ts';

const TURNS = 96;
/** Of one write to the record: what dies with the thread at most. */
const PORTION = 32;

/** The model in its thread, which is killed in the middle of the calls that `kills` names. */
async function start(kills: (call: { urgent: boolean; background: number }) => boolean) {
  const folder = mkdtempSync(join(tmpdir(), 'ccc-model-'));
  writeTinyModel(folder, 'test/tiny', [
    ['cat', 'kitten'],
    ['bread', 'loaf'],
  ]);
  const threads: Worker[] = [];
  const seen = (thread: Worker) => threads.push(thread);
  process.on('worker', seen);
  const local = new LocalEmbeddings({
    model: 'test/tiny',
    folder,
    download: false,
    logger: silentLogger,
    retryMs: [0],
  });
  let background = 0;
  let embedded = 0;
  let killed = 0;
  const provider: EmbeddingProvider = {
    model: local.model,
    state: () => local.state(),
    prepare: () => {
      local.prepare();
    },
    embed: async (texts, options) => {
      if (!options.urgent) {
        background += 1;
        embedded += texts.length;
      }
      const ready = local.state().state === 'ready';
      if (!ready || !kills({ urgent: options.urgent, background })) return local.embed(texts, options);
      killed += 1;
      // Work that outlasts its end: it has been given it, and never answers.
      const answer = local.embed(
        Array.from({ length: 2_000 }, () => texts[0] ?? ''),
        options,
      );
      void threads.at(-1)?.terminate();
      return answer;
    },
    close: () => local.close(),
  };
  const clock = { ahead: 0, now: () => Date.now() + clock.ahead };
  const dal = await openSqliteStore({ file: recordFile(), threads: false });
  const jobs = new JobRunner({ jobs: dal.jobs, clock });
  const dense = createDenseRetrieval({ provider, dal, jobs, clock, logger: silentLogger });
  const memory = createMemoryService({
    dal,
    retriever: createRetriever({ dal, dense: dense.search }),
    jobsOfExchange: dense.jobsOf,
    nudgeJobs: () => {
      jobs.nudge();
    },
  });
  dense.start();
  await vi.waitFor(() => expect(local.state().state).toBe('ready'), 10_000);
  onTestFinished(async () => {
    process.off('worker', seen);
    await Promise.all([dense.stop(), jobs.stop(1_000)]);
    await dense.close();
    await dal.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const sessionId = await newSession(memory);
  const later = (ms: number) => {
    clock.ahead += ms;
    jobs.nudge();
  };
  const tell = () =>
    told(
      memory,
      sessionId,
      'The loaf is in the oven.',
      Array.from({ length: TURNS - 1 }, (_, at) => ({
        agent: 'wykeve' as const,
        content: at === TURNS - 2 ? 'My kitten sleeps.' : `Number ${String(at)} of the list.`,
      })),
    );
  const search = (query: string) =>
    memory.searchTurns({ sessionId, query, maxResults: 3, relevanceThreshold: 0, timeRange: null });
  const waiting = () => dal.vectors.outdated({ model: local.model, after: null, limit: 9 });
  return {
    ...{ dal, jobs, dense, sessionId, tell, search, waiting, later, threads, local },
    counts: () => ({ embedded, killed }),
  };
}

describe('the thread of the embedding model, killed', () => {
  it('in the middle of a conversation: words answer meanwhile, another goes on where the record stands', async () => {
    const server = await start(({ urgent, background }) => !urgent && background === 2);
    await server.tell();
    server.jobs.start();
    const jobs = () => server.dal.jobs.counts();
    await vi.waitFor(() => expect(server.counts().killed).toBe(1), 10_000);
    await vi.waitFor(async () => {
      // Put back: neither lost nor given up.
      expect(await jobs()).toContainEqual({ kind: EMBED_TURNS, state: 'ready', count: 1 });
    }, 10_000);
    expect(server.local.state()).toEqual({
      state: 'failing',
      reason: 'The thread of the embedding model ended.',
    });
    expect(server.dense.status()).toMatchObject({ state: 'fallback' });
    const [found] = await server.search('kitten');
    expect(found).toMatchObject({ source: 'lexical', turn: { content: 'My kitten sleeps.' } });

    server.later(31_000);
    await vi.waitFor(async () => expect(await server.waiting()).toEqual([]), 10_000);
    await server.jobs.whenIdle();
    expect((await jobs()).filter(({ kind }) => kind === EMBED_TURNS)).toEqual([]);
    expect(server.threads).toHaveLength(2);
    // What had been written before is not made again; what was under way is, once.
    expect(server.counts().embedded).toBe(TURNS + PORTION);
    server.later(31_000);
    await vi.waitFor(async () => {
      const [best] = await server.search('cat');
      expect(best).toMatchObject({ source: 'dense', turn: { content: 'My kitten sleeps.' } });
    }, 10_000);
    expect(server.dense.status()).toMatchObject({ state: 'ready', reason: null });
  });

  it('in the middle of a question: the answer comes in its time, by words', async () => {
    let deadly = false;
    const server = await start(({ urgent }) => urgent && deadly);
    await server.tell();
    server.jobs.start();
    await vi.waitFor(async () => expect(await server.waiting()).toEqual([]), 10_000);
    expect((await server.search('cat'))[0]).toMatchObject({ source: 'dense' });
    deadly = true;
    const byWords = await server.search('kitten oven');
    expect(byWords.map(({ source }) => source)).not.toContain('dense');
    expect(byWords[0]).toMatchObject({ source: 'lexical', turn: { content: 'My kitten sleeps.' } });
    expect(server.counts().killed).toBe(1);
    expect(server.dense.status().state).toBe('fallback');
    deadly = false;
    server.later(31_000);
    // Nobody waits for the one that finds out that the model is back.
    await vi.waitFor(async () => {
      expect(await server.search('loaf kitten')).not.toEqual([]);
      expect(server.dense.status().state).toBe('ready');
    }, 10_000);
    expect(server.threads).toHaveLength(2);
    expect((await server.search('bread'))[0]).toMatchObject({ source: 'dense' });
  });
});
