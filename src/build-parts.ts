import { join } from 'node:path';
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { AppParts } from './app.ts';
import { systemClock } from './base/clock.ts';
import type { Logger } from './base/logger.ts';
import { VERSION } from './base/project-root.ts';
import { createCausalMeaning } from './causal/meaning/create-causal-meaning.ts';
import { createCausalMemory } from './causal/create-causal-memory.ts';
import { causalJobs, registerCausalJobs } from './causal/register.ts';
import { PROJECTION_FILE } from './config/data-folder.ts';
import { ownSecrets } from './config/own-secrets.ts';
import type { Settings } from './config/schema.ts';
import { serverBudgets } from './covenant/budgets.ts';
import { registerLearning } from './covenant/learning/learn-from-cycle.ts';
import { createCycleService } from './covenant/create-cycle-service.ts';
import { openTracing } from './covenant/tracing/open-tracing.ts';
import { meteredProvider } from './http/operation/upstream-metrics.ts';
import { countMasked } from './http/operation/record-metrics.ts';
import { ServerState } from './http/operation/server-state.ts';
import { createTokenLedger } from './http/spending/create-token-ledger.ts';
import { spendingProvider } from './http/spending/spending-provider.ts';
import { JobRunner } from './jobs/job-runner.ts';
import { createMemoryService } from './memory/create-memory-service.ts';
import { createDenseRetrieval } from './memory/embeddings/create-dense-retrieval.ts';
import { factsJob } from './memory/facts/jobs.ts';
import { registerFacts } from './memory/facts/register.ts';
import { createReindexer } from './memory/reindex/reindexer.ts';
import { createRetriever } from './memory/retrieval/retriever.ts';
import { habitsJob } from './memory/habits/jobs.ts';
import { maskingDal } from './memory/redaction/masking-dal.ts';
import { registerHabits } from './memory/habits/note-habits.ts';
import { limitSessionSize } from './memory/session-size.ts';
import { Growth } from './memory/summaries/growth.ts';
import { createRetention } from './memory/retention/retention.ts';
import { registerSummaries } from './memory/summaries/register.ts';
import { createEmbeddings } from './models/embeddings/create-embeddings.ts';
import { createQuestionVectors } from './models/embeddings/question-vectors.ts';
import { guardedProvider } from './models/guard/guarded-provider.ts';
import { createProvider } from './models/create-provider.ts';
import { openRecord } from './open-record.ts';
import type { CausalMemory } from './causal/create-causal-memory.ts';
import type { MemoryDAL } from './store/memory-dal.ts';
import { createMasker } from './text/redaction/masker.ts';

export interface BuiltParts extends AppParts {
  /** Begins the background work. */
  start(): void;
  /** Brings running cycles and jobs to a halt within `limitMs`. */
  settle(limitMs: number): Promise<void>;
  /** Closes the stores and connections. */
  close(): Promise<void>;
}

/** Builds every part in the order in which they stand on each other. @throws CccError storage_failed */
export async function buildParts(settings: Settings, logger: Logger): Promise<BuiltParts> {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const upstream = createProvider({
    provider: settings.CCC_PROVIDER,
    baseUrl: settings.OPENAI_BASE_URL,
    apiKey: settings.OPENAI_API_KEY,
    model: settings.OPENAI_MODEL,
    timeoutMs: settings.OPENAI_TIMEOUT_MS,
    maxRetries: settings.OPENAI_MAX_RETRIES,
  });
  const metered = meteredProvider(
    guardedProvider(upstream, {
      concurrency: settings.CCC_UPSTREAM_CONCURRENCY,
      failures: settings.CCC_UPSTREAM_FAILURES,
    }),
    registry,
  );
  const masker = settings.CCC_REDACT === 'on' ? createMasker(ownSecrets(settings)) : null;
  const key = settings.CCC_ENCRYPTION_KEY ?? null;
  const record = await openRecord(settings, logger);
  const dal = limitSessionSize(
    masker ? maskingDal(record, masker, countMasked(registry)) : record,
    settings.CCC_SESSION_MAX_TURNS,
  );
  const tokens = createTokenLedger(settings, { dal, clock: systemClock, logger });
  const provider = spendingProvider(metered, tokens);
  const interrupted = await dal.budgets.settleInterrupted();
  if (interrupted > 0)
    logger.warn({ calls: interrupted }, 'calls that were cut off count as they were estimated');
  const jobs = new JobRunner({ jobs: dal.jobs, logger });
  const nudgeJobs = () => {
    jobs.nudge();
  };
  const embeddings = createEmbeddings({
    embeddings: settings.CCC_EMBEDDINGS,
    model: settings.CCC_EMBEDDING_MODEL,
    dataFolder: settings.CCC_DATA_DIR,
    baseUrl: settings.OPENAI_BASE_URL,
    apiKey: settings.OPENAI_API_KEY,
    timeoutMs: settings.OPENAI_TIMEOUT_MS,
    maxRetries: settings.OPENAI_MAX_RETRIES,
    logger,
  });
  const questions = embeddings
    ? createQuestionVectors({ provider: embeddings, clock: systemClock, logger })
    : null;
  const causalWork = causalJobs(provider, settings.CCC_CAUSAL_MAX_CALLS_PER_MINUTE, embeddings);
  const causal = createCausalMemory({
    store: dal.causal,
    activity: dal.activity,
    // DuckDB cannot encrypt a file here: with a key the projection is kept in memory.
    projectionFile: key === null ? join(settings.CCC_DATA_DIR, PROJECTION_FILE) : null,
    onlyAsked: dal.shared !== null,
    jobsOfEvents: causalWork.ofEvents,
    jobsOfTexts: causalWork.ofTexts,
    ...(questions ? { meaning: { questions, vectors: dal.causalVectors } } : {}),
    nudgeJobs,
    clock: systemClock,
    logger,
  });
  const dense = createDenseRetrieval({
    provider: embeddings,
    dal,
    jobs,
    clock: systemClock,
    logger,
    questions,
  });
  const meaning = createCausalMeaning({
    provider: embeddings,
    dal,
    jobs,
    clock: systemClock,
    logger,
    changed: causal.changed,
  });
  const retention = createRetention({
    dal,
    days: settings.CCC_RETENTION_DAYS ?? null,
    clock: systemClock,
    logger,
    changed: causal.changed,
    leaveNoTraces: causal.leaveNoTraces,
    nudgeJobs,
  });
  const memory = createMemoryService({
    dal,
    ...(dense.search ? { retriever: createRetriever({ dal, dense: dense.search }) } : {}),
    causal,
    jobsOfExchange: (conversationId, now) => [
      ...causalWork.ofExchange(conversationId, now),
      ...(settings.CCC_FACTS === 'on' ? [factsJob(conversationId, now)] : []),
      ...dense.jobsOf(conversationId, now),
      habitsJob(now),
    ],
    jobsOfImport: (conversationId, now) => [...dense.jobsOf(conversationId, now), habitsJob(now)],
    jobsOfImportedSession: causalWork.ofTexts,
    growth: new Growth(settings.CCC_SUMMARY_TRIGGER_TOKENS),
    nudgeRetention: retention.nudge,
    nudgeJobs,
    ...(masker ? { asStored: (text) => masker.mask(text)?.text ?? text } : {}),
    clock: systemClock,
    logger,
  });
  registerCausalJobs(jobs, {
    dal,
    provider,
    model: provider.info.defaultModel,
    maxCallsPerMinute: settings.CCC_CAUSAL_MAX_CALLS_PER_MINUTE,
    meaning: causal.meaning && meaning.portion ? { search: causal.meaning, portion: meaning.portion } : null,
    clock: systemClock,
    changed: causal.changed,
  });
  registerSummaries(jobs, {
    dal,
    provider,
    model: provider.info.defaultModel,
    triggerTokens: settings.CCC_SUMMARY_TRIGGER_TOKENS,
    clock: systemClock,
  });
  registerFacts(jobs, {
    dal,
    provider,
    model: provider.info.defaultModel,
    maxCallsPerMinute: settings.CCC_FACTS_MAX_CALLS_PER_MINUTE,
    clock: systemClock,
  });
  registerHabits(jobs, { dal, clock: systemClock });
  registerLearning(jobs, { dal, embeddings, clock: systemClock });
  const tracing = await openTracing(settings, { dal, provider: provider.info, version: VERSION, logger });
  const reindexer = createReindexer({ dal, logger });
  const cycles = createCycleService({
    dal,
    memory,
    provider,
    models: { beatrice: settings.CCC_BEATRICE_MODEL, codey: settings.CCC_CODEY_MODEL },
    budgets: serverBudgets(settings),
    leaseMs: settings.CCC_LEASE_SECONDS * 1000,
    ...(tracing.trace ? { trace: tracing.trace } : {}),
    clock: systemClock,
    logger,
    nudgeJobs,
  });
  return {
    version: VERSION,
    settings,
    logger,
    clock: systemClock,
    registry,
    state: new ServerState(),
    provider,
    dal,
    memory,
    cycles,
    causal,
    tokens,
    rateLimits: dal.shared?.rateLimits ?? null,
    embeddings: dense.status,
    nudgeJobs,
    start: () => {
      jobs.start();
      reindexer.start();
      retention.start();
      dense.start();
      meaning.start();
      causal.start();
      forgetErased(dal, causal, logger);
    },
    settle: async (limitMs) => {
      await Promise.all([
        cycles.drain(limitMs),
        jobs.stop(limitMs),
        reindexer.stop(),
        retention.stop(),
        dense.stop(),
        meaning.stop(),
      ]);
    },
    close: async () => {
      await tracing.close();
      await dense.close();
      await causal.close();
      await tokens.settle();
      await dal.close();
      await provider.close();
    },
  };
}

/** What another server erases leaves the projection of this one too. */
function forgetErased({ shared }: MemoryDAL, causal: CausalMemory, logger: Logger): void {
  shared?.notices.listen({
    heard: (notice) => {
      if (notice.kind !== 'erased') return;
      causal.eraseSession(notice.sessionId).catch((error: unknown) => {
        logger.warn({ err: error }, 'an erased session could not be taken out of the projection');
      });
    },
    missed: () => {
      causal.catchUp();
    },
  });
}
