import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { silentLogger, type Logger } from '../../../src/base/logger.ts';
import { JobRunner } from '../../../src/jobs/job-runner.ts';
import { createMemoryService } from '../../../src/memory/create-memory-service.ts';
import { createDenseRetrieval } from '../../../src/memory/embeddings/create-dense-retrieval.ts';
import { EMBED_TURNS } from '../../../src/memory/embeddings/jobs.ts';
import { createRetriever } from '../../../src/memory/retrieval/retriever.ts';
import type { EmbeddingProvider } from '../../../src/models/embeddings/embedding-provider.ts';
import { LocalEmbeddings } from '../../../src/models/embeddings/local/local-embeddings.ts';
import { openTestRecord } from '../../support/record.ts';
import { writeTinyModel } from '../../support/tiny-model.ts';
import { newSession, recordFile, told } from '../support.ts';

const MEANINGS = [
  ['car', 'automobile', 'vehicle'],
  ['cat', 'kitten', 'feline'],
  ['bread', 'loaf', 'baguette'],
];

/** A local model on the tiny weights that the tests make. */
function tinyModel(
  name = 'test/tiny',
  meanings: string[][] | null = MEANINGS,
  dimension = 8,
): LocalEmbeddings {
  const folder = mkdtempSync(join(tmpdir(), 'ccc-model-'));
  if (meanings) writeTinyModel(folder, name, meanings, dimension);
  const provider = new LocalEmbeddings({ model: name, folder, download: false, logger: silentLogger });
  onTestFinished(async () => {
    await provider.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return provider;
}

/** The memory of a server with this model, at work. */
async function start(provider: EmbeddingProvider | null, file = recordFile(), logger: Logger = silentLogger) {
  const dal = await openTestRecord(file);
  const jobs = new JobRunner({ jobs: dal.jobs });
  const dense = createDenseRetrieval({ provider, dal, jobs, clock: systemClock, logger });
  const memory = createMemoryService({
    dal,
    retriever: createRetriever({ dal, dense: dense.search }),
    jobsOfExchange: dense.jobsOf,
    jobsOfImport: dense.jobsOf,
    nudgeJobs: () => {
      jobs.nudge();
    },
  });
  jobs.start();
  dense.start();
  let stopped = false;
  const stop = async () => {
    if (stopped) return;
    stopped = true;
    await Promise.all([dense.stop(), jobs.stop(1_000)]);
    await dal.close();
  };
  onTestFinished(stop);
  const vectorsWait = async () =>
    (await dal.jobs.counts())
      .filter(({ kind }) => kind === EMBED_TURNS)
      .reduce((sum, { count }) => sum + count, 0) +
    (provider ? (await dal.vectors.outdated({ model: provider.model, after: null, limit: 1 })).length : 0);
  const embedded = () => vi.waitFor(async () => expect(await vectorsWait()).toBe(0), { timeout: 15_000 });
  const search = async (sessionId: string, query: string) =>
    memory.searchTurns({ sessionId, query, maxResults: 5, relevanceThreshold: 0, timeRange: null });
  return { dal, memory, dense, embedded, search, stop };
}

describe('retrieval by meaning', () => {
  it('finds what shares no word with the question, once its vector is there, and says so', async () => {
    const server = await start(tinyModel());
    const sessionId = await newSession(server.memory);
    await told(server.memory, sessionId, 'My automobile stands behind the house.', [
      { agent: 'wykeve', content: 'The kitten sleeps all day.' },
    ]);
    await server.embedded();
    const [best] = await server.search(sessionId, 'feline');
    expect(best).toMatchObject({ source: 'dense', turn: { content: 'The kitten sleeps all day.' } });
    expect(best?.parts['dense']).toBeGreaterThan(0);
    expect(best?.parts['bm25']).toBe(0);
    expect(server.dense.status()).toMatchObject({ state: 'ready', reason: null });
  });

  it('finds a turn by its words at once, before it has a vector', async () => {
    const slow: EmbeddingProvider = {
      model: 'slow',
      state: () => ({ state: 'loading', reason: null }),
      prepare: () => undefined,
      embed: () => new Promise(() => undefined),
      close: () => Promise.resolve(),
    };
    const server = await start(slow);
    const sessionId = await newSession(server.memory);
    await told(server.memory, sessionId, 'The kitten sleeps all day.');
    const begun = performance.now();
    expect(await server.search(sessionId, 'kitten')).toMatchObject([{ source: 'lexical' }]);
    // A model that is being loaded holds up nobody.
    expect(performance.now() - begun).toBeLessThan(200);
    expect(server.dense.status()).toMatchObject({ state: 'loading' });
  });

  it('adds to the words instead of replacing them: what has both comes first', async () => {
    const server = await start(tinyModel());
    const sessionId = await newSession(server.memory);
    await told(server.memory, sessionId, 'The vehicle is blue.');
    await told(server.memory, sessionId, 'The automobile is red and loud.');
    await told(server.memory, sessionId, 'Bread with butter, please.');
    await server.embedded();
    const found = await server.search(sessionId, 'Which automobile was loud?');
    expect(found.map(({ turn }) => turn.content)).toEqual([
      'The automobile is red and loud.',
      'The vehicle is blue.',
    ]);
  });

  it('finds nothing where neither words nor meaning agree', async () => {
    const server = await start(tinyModel());
    const sessionId = await newSession(server.memory);
    await told(server.memory, sessionId, 'The vehicle is blue.');
    await server.embedded();
    expect(await server.search(sessionId, 'baguette')).toEqual([]);
  });

  it('embeds everything anew when another model is named, and never mixes the two', async () => {
    const file = recordFile();
    const first = await start(tinyModel('test/first'), file);
    const sessionId = await newSession(first.memory);
    await told(first.memory, sessionId, 'The kitten sleeps all day.');
    await first.embedded();
    await first.stop();

    // To the second model other words are alike, and its vectors have another size.
    const second = await start(
      tinyModel(
        'test/second',
        [
          ['x', 'y'],
          ['kitten', 'toaster'],
        ],
        12,
      ),
      file,
    );
    await second.embedded();
    expect(await second.search(sessionId, 'toaster')).toMatchObject([{ source: 'dense' }]);
    expect(await second.search(sessionId, 'feline')).toEqual([]);
  });

  it('embeds what was said while embeddings were off', async () => {
    const file = recordFile();
    const before = await start(null, file);
    const sessionId = await newSession(before.memory);
    for (let at = 0; at < 12; at += 1) await told(before.memory, sessionId, `Number ${String(at)}: a loaf.`);
    expect(before.dense.status()).toEqual({ state: 'off' });
    await before.stop();
    const after = await start(tinyModel(), file);
    await after.embedded();
    expect(await after.search(sessionId, 'baguette')).toHaveLength(5);
  });

  it('embeds a session that is brought in', async () => {
    const source = await start(tinyModel());
    const sessionId = await newSession(source.memory);
    await told(source.memory, sessionId, 'The kitten sleeps all day.');
    const lines: string[] = [];
    for await (const line of source.memory.exportSession(sessionId)) lines.push(line);
    expect(lines.join('\n')).not.toMatch(/vector/);

    const target = await start(tinyModel());

    const stream = (async function* () {
      yield* lines;
    })();
    const { session } = await target.memory.importSession(stream);
    await target.embedded();
    expect(await target.search(session.sessionId, 'feline')).toMatchObject([{ source: 'dense' }]);
  });

  it('answers by words when the model cannot be loaded, and says so once in the log', async () => {
    const warn = vi.fn();
    const logger = {
      ...silentLogger,
      warn,
      info: vi.fn(),
      error: vi.fn(),
      debug: vi.fn(),
    } as unknown as Logger;
    const server = await start(tinyModel('test/missing', null), recordFile(), logger);
    const sessionId = await newSession(server.memory);
    await told(server.memory, sessionId, 'The kitten sleeps all day.');
    await vi.waitFor(() => expect(server.dense.status()).toMatchObject({ state: 'fallback' }), 10_000);
    for (let at = 0; at < 5; at += 1) {
      const begun = performance.now();
      expect(await server.search(sessionId, 'kitten')).toMatchObject([{ source: 'lexical' }]);
      expect(performance.now() - begun).toBeLessThan(250);
    }
    expect(warn).toHaveBeenCalledTimes(1);
    expect(server.dense.status().state).toBe('fallback');
    // The work waits for better times; it is not given up.
    expect(await server.dal.jobs.counts()).toContainEqual({ kind: EMBED_TURNS, state: 'ready', count: 1 });
  });

  it('passes over a turn that the model refuses', async () => {
    const tiny = tinyModel();
    const refusing: EmbeddingProvider = {
      model: 'refusing',
      state: () => tiny.state(),
      prepare: () => {
        tiny.prepare();
      },
      embed: async (texts, options) => {
        const { EmbeddingError } = await import('../../../src/models/embeddings/embedding-provider.ts');
        if (texts.some((text) => text.includes('too long')))
          throw new EmbeddingError('no', { refused: true });
        return tiny.embed(texts, options);
      },
      close: () => Promise.resolve(),
    };
    const server = await start(refusing);
    const sessionId = await newSession(server.memory);
    await told(server.memory, sessionId, 'My kitten.', [
      { agent: 'wykeve', content: 'This is too long.' },
      { agent: 'wykeve', content: '   ' },
      { agent: 'wykeve', content: 'A baguette.' },
    ]);
    await server.embedded();
    const [best] = await server.search(sessionId, 'loaf');
    expect(best).toMatchObject({ source: 'dense', turn: { content: 'A baguette.' } });
  });
});
