import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { silentLogger } from '../../src/base/logger.ts';
import { JobRunner } from '../../src/jobs/job-runner.ts';
import { createDenseRetrieval } from '../../src/memory/embeddings/create-dense-retrieval.ts';
import { createOpenAiEmbeddings } from '../../src/models/embeddings/openai-embeddings.ts';
import { openSqliteStore } from '../../src/store/sqlite/open-sqlite-store.ts';
import { startServerProcess, type RunningServer } from '../support/server-process.ts';
import { writeTinyModel } from '../support/tiny-model.ts';
import { hang, json, startUpstream } from '../support/upstream.ts';

function dataFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'ccc-embeddings-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

async function start(dataDir: string, env: Record<string, string>) {
  const server = await startServerProcess({ dataDir, env });
  onTestFinished(async () => {
    if (server.child.exitCode === null && server.child.signalCode === null) await server.stop('SIGKILL');
  });
  return server;
}

async function call(server: RunningServer, method: string, path: string, body?: unknown) {
  const response = await fetch(server.url + path, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return (await response.json()) as Record<string, unknown>;
}

async function sessionWith(server: RunningServer, directive: string): Promise<string> {
  const { session_id } = await call(server, 'POST', '/api/v2/sessions', {});
  await call(server, 'POST', '/api/v2/conversations', { session_id, directive });
  return String(session_id);
}

const search = async (server: RunningServer, sessionId: string, query: string) =>
  call(server, 'POST', `/api/v2/sessions/${sessionId}/context/search`, { query });

describe('embeddings in the server as it is built', () => {
  it('run in a thread, from files in the data folder, and show in /health', async () => {
    const data = dataFolder();
    writeTinyModel(join(data, 'models'), 'test/tiny', [['cat', 'kitten', 'feline']]);
    const server = await start(data, { CCC_EMBEDDINGS: 'local', CCC_EMBEDDING_MODEL: 'test/tiny' });
    const sessionId = await sessionWith(server, 'The kitten sleeps all day.');
    await vi.waitFor(
      async () => {
        const found = await search(server, sessionId, 'feline');
        expect(JSON.stringify(found)).toContain('"source":"dense"');
      },
      { timeout: 20_000, interval: 100 },
    );
    expect(await call(server, 'GET', '/health')).toMatchObject({
      embeddings: { model: 'local:test/tiny:q8', state: 'ready', reason: null },
    });
    expect(await server.stop()).toBe(0);
  });

  it('lose no work to a kill: what was being embedded is embedded after the next start', async () => {
    const upstream = await startUpstream();
    onTestFinished(() => upstream.close());
    const data = dataFolder();
    const env = { CCC_EMBEDDINGS: 'openai', OPENAI_BASE_URL: upstream.baseUrl };
    upstream.on('/embeddings', hang());
    upstream.on('/chat/completions', json({ error: { message: 'no' } }, 400));
    const first = await start(data, env);
    const sessionId = await sessionWith(first, 'The kitten sleeps all day.');
    await upstream.call(1);
    await first.stop('SIGKILL');

    upstream.on('/embeddings', (res, { json: body }) =>
      json({
        data: (body as { input: string[] }).input.map((_, index) => ({ index, embedding: [0.6, 0.8] })),
      })(res, upstream.calls[0]!),
    );
    // Taken up again once the lease of the killed server has run out: a minute later.
    const clock = { now: () => Date.now() + 61_000 };
    const dal = await openSqliteStore({ file: join(data, 'ccc.db'), threads: false });
    const provider = createOpenAiEmbeddings({
      baseUrl: upstream.baseUrl,
      apiKey: undefined,
      model: 'text-embedding-3-small',
      timeoutMs: 5_000,
      maxRetries: 0,
    });
    const jobs = new JobRunner({ jobs: dal.jobs, clock });
    createDenseRetrieval({ provider, dal, jobs, clock, logger: silentLogger });
    onTestFinished(async () => {
      await jobs.stop(1_000);
      await provider.close();
      await dal.close();
    });
    const { model } = provider;
    expect(await dal.vectors.outdated({ model, after: null, limit: 9 })).toMatchObject([{ sessionId }]);
    jobs.start();
    await jobs.whenIdle();
    expect(await dal.vectors.outdated({ model, after: null, limit: 9 })).toEqual([]);
    const found = await dal.vectors.compare({ sessionId, model, vector: Float32Array.from([0.6, 0.8]) });
    expect(found?.cosines[0]).toBeCloseTo(1);
  });
});
