import { join } from 'node:path';
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { AppParts } from './app.ts';
import { systemClock } from './base/clock.ts';
import type { Logger } from './base/logger.ts';
import { VERSION } from './base/project-root.ts';
import type { Settings } from './config/schema.ts';
import { createCycleService } from './covenant/create-cycle-service.ts';
import { meteredProvider } from './http/operation/upstream-metrics.ts';
import { ServerState } from './http/operation/server-state.ts';
import { unavailable } from './http/unavailable.ts';
import type { MemoryService } from './memory/memory-service.ts';
import { createOpenAiProvider } from './models/openai/openai-provider.ts';
import { openSqliteStore } from './store/sqlite/open-sqlite-store.ts';

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
  const provider = meteredProvider(
    createOpenAiProvider({
      baseUrl: settings.OPENAI_BASE_URL ?? 'https://api.openai.com/v1',
      apiKey: settings.OPENAI_API_KEY,
      model: settings.OPENAI_MODEL,
      timeoutMs: settings.OPENAI_TIMEOUT_MS,
      maxRetries: settings.OPENAI_MAX_RETRIES,
    }),
    registry,
  );
  const dal = await openSqliteStore({ file: join(settings.CCC_DATA_DIR, 'ccc.db'), threads: true, logger });
  const notYet = 'This part of memory is not there.';
  const memory: MemoryService = unavailable(notYet);
  const cycles = createCycleService({
    dal,
    memory,
    provider,
    models: { beatrice: settings.CCC_BEATRICE_MODEL, codey: settings.CCC_CODEY_MODEL },
    clock: systemClock,
    logger,
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
    causal: unavailable(notYet),
    start: () => undefined,
    settle: (limitMs) => cycles.drain(limitMs),
    close: async () => {
      await dal.close();
      await provider.close();
    },
  };
}
