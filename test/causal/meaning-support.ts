import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, vi } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { createCausalMemory } from '../../src/causal/create-causal-memory.ts';
import { createCausalMeaning } from '../../src/causal/meaning/create-causal-meaning.ts';
import { EMBED_EVENTS } from '../../src/causal/meaning/embed-events.ts';
import { causalJobs } from '../../src/causal/register.ts';
import { JobRunner } from '../../src/jobs/job-runner.ts';
import { createProvider } from '../../src/models/create-provider.ts';
import type { EmbeddingProvider } from '../../src/models/embeddings/embedding-provider.ts';
import { LocalEmbeddings } from '../../src/models/embeddings/local/local-embeddings.ts';
import { createQuestionVectors } from '../../src/models/embeddings/question-vectors.ts';
import { openTestRecord } from '../support/record.ts';
import { writeTinyModel } from '../support/tiny-model.ts';
import { temporaryFolder } from './support.ts';

export const MEANINGS = [
  ['car', 'automobile', 'vehicle'],
  ['cat', 'kitten', 'feline'],
  ['bread', 'loaf', 'baguette'],
];

/** A local model on the tiny weights that the tests make: the words of one line mean the same. */
export function tinyModel(name = 'test/tiny', meanings = MEANINGS, dimension = 8): LocalEmbeddings {
  const folder = mkdtempSync(join(tmpdir(), 'ccc-model-'));
  writeTinyModel(folder, name, meanings, dimension);
  const provider = new LocalEmbeddings({ model: name, folder, download: false, logger: silentLogger });
  onTestFinished(async () => {
    await provider.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return provider;
}

/** The causal memory of a server with this embedding model, at work. Nobody judges: the tests say what led to what. */
export async function startMeaning(provider: EmbeddingProvider | null, folder = temporaryFolder()) {
  const projectionFile = join(folder, 'causal.duckdb');
  const dal = await openTestRecord(join(folder, 'record.db'));
  const jobs = new JobRunner({ jobs: dal.jobs });
  const nudgeJobs = () => {
    jobs.nudge();
  };
  const chat = createProvider({
    provider: 'openai',
    apiKey: 'k',
    baseUrl: 'http://127.0.0.1:9/v1',
    model: 'm',
    timeoutMs: 1,
    maxRetries: 0,
  });
  const work = causalJobs(chat, 0, provider);
  const questions = provider
    ? createQuestionVectors({ provider, clock: systemClock, logger: silentLogger, deadlineMs: 5_000 })
    : null;
  const causal = createCausalMemory({
    store: dal.causal,
    projectionFile,
    jobsOfEvents: work.ofEvents,
    jobsOfTexts: work.ofTexts,
    ...(questions ? { meaning: { questions, vectors: dal.causalVectors, comparedWithinMs: 10_000 } } : {}),
    nudgeJobs,
  });
  const meaning = createCausalMeaning({
    provider,
    dal,
    jobs,
    clock: systemClock,
    logger: silentLogger,
    changed: causal.changed,
  });
  provider?.prepare();
  jobs.start();
  meaning.start();
  let stopped = false;
  const stop = async () => {
    if (stopped) return;
    stopped = true;
    await Promise.all([meaning.stop(), jobs.stop(1_000)]);
    await Promise.all([causal.close(), chat.close()]);
    await dal.close();
  };
  onTestFinished(stop);
  const waiting = async () => {
    const counts = await dal.jobs.counts();
    const left = counts
      .filter(({ kind }) => kind === EMBED_EVENTS)
      .reduce((sum, { count }) => sum + count, 0);
    const model = provider?.model;
    return left + (model ? (await dal.causalVectors.outdated({ model, after: null, limit: 1 })).length : 0);
  };
  const embedded = () => vi.waitFor(async () => expect(await waiting()).toBe(0), { timeout: 15_000 });
  return { dal, causal, meaning, nudgeJobs, embedded, stop, folder, projectionFile };
}
