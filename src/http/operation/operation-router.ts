import { Router } from 'express';
import type { Registry } from 'prom-client';
import { CccError } from '../../base/ccc-error.ts';
import { isoTime, type Clock } from '../../base/clock.ts';
import type { CausalMemoryCore } from '../../causal/causal-memory-core.ts';
import type { DenseRetrieval } from '../../memory/embeddings/create-dense-retrieval.ts';
import type { ChatProvider } from '../../models/provider.ts';
import type { MemoryDAL } from '../../store/memory-dal.ts';
import { ANALYSER_VERSION } from '../../text/analyse.ts';
import { methodNotAllowed } from '../errors.ts';
import { within } from './within.ts';
import type { ServerState } from './server-state.ts';

export interface OperationParts {
  version: string;
  clock: Clock;
  provider: ChatProvider;
  dal: MemoryDAL;
  causal: CausalMemoryCore;
  /** Whether turns are found by their meaning too. */
  embeddings?: DenseRetrieval['status'];
  registry: Registry;
  state: ServerState;
}

/** Longest wait for a part before it counts as failing, in milliseconds: probes give up after a few seconds. */
const PROBE_LIMIT_MS = 2_000;

/** Longest wait for the figures of `/api/v2/status`, in milliseconds. */
const STATUS_LIMIT_MS = 10_000;

/** For those who run the server: liveness, readiness, status, metrics. */
export function operationRouter(parts: OperationParts): Router {
  const { dal, state, registry } = parts;
  const router = Router({ caseSensitive: true });

  const get = (path: string, answer: () => Promise<object>) => {
    router
      .route(path)
      .get(async (_req, res) => {
        res.setHeader('cache-control', 'no-store');
        res.json(await answer());
      })
      .all(methodNotAllowed('GET'));
  };

  get('/health', async () => {
    const [memory, causal] = await Promise.all([
      within(PROBE_LIMIT_MS, () => dal.maintenance.ping(false)).then(
        () => ({ status: 'ok' }),
        () => ({ status: 'failing' }),
      ),
      causalStatus(parts),
    ]);
    const { info } = parts.provider;
    return {
      status: state.draining ? 'draining' : 'ok',
      version: parts.version,
      stage: memory.status === 'ok' ? 2 : 1,
      provider: {
        name: info.name,
        base_url: info.baseUrl,
        model: info.defaultModel,
        circuit: parts.provider.standing?.().circuit ?? 'closed',
      },
      memory,
      causal,
      embeddings: parts.embeddings?.() ?? { state: 'off' },
    };
  });

  get('/health/ready', async () => {
    if (state.draining) throw new CccError('shutting_down');
    try {
      await within(PROBE_LIMIT_MS, () => dal.maintenance.ping(true));
    } catch (error) {
      throw new CccError('storage_failed', 'The record cannot be written.', { cause: error });
    }
    return { status: 'ready' };
  });

  get('/api/v2/status', async () => {
    const [counts, causalCounts, causal, jobs, cycles, reindex] = await within(STATUS_LIMIT_MS, () =>
      readFigures(parts),
    );
    const { info } = parts.provider;
    return {
      version: parts.version,
      started_at: isoTime(state.startedAt),
      uptime_seconds: Math.max(0, Math.floor((parts.clock.now() - state.startedAt) / 1000)),
      draining: state.draining,
      provider: { name: info.name, base_url: info.baseUrl, model: info.defaultModel },
      counts: { ...counts, causal_events: causalCounts.events, causal_links: causalCounts.links },
      causal_memory: { available: causal.available, reason: causal.reason },
      projection_lag: causal.lag,
      embeddings: parts.embeddings?.() ?? { state: 'off' },
      jobs,
      reindex: { analyser_version: ANALYSER_VERSION, ...reindex },
      cycles: Object.fromEntries(cycles.map(({ name, count }) => [name, count])),
    };
  });

  router
    .route('/metrics')
    .get(async (_req, res) => {
      const text = await registry.metrics();
      res.setHeader('cache-control', 'no-store');
      res.type(registry.contentType).send(text);
    })
    .all(methodNotAllowed('GET'));
  return router;
}

async function readFigures(parts: OperationParts) {
  const { maintenance, causal, jobs, cycles, reindex } = parts.dal;
  return Promise.all([
    maintenance.counts(),
    // Not worth losing the other figures for.
    Promise.resolve()
      .then(() => causal.counts())
      .catch(() => ({ events: null, links: null })),
    causalStatus(parts),
    jobs.counts(),
    cycles.counts(),
    reindex.outdated(ANALYSER_VERSION),
  ]);
}

/** What causal memory says about itself; when it does not even answer, that. */
async function causalStatus({ causal }: OperationParts) {
  try {
    return await within(PROBE_LIMIT_MS, () => causal.status());
  } catch {
    return { available: false, reason: 'Causal memory does not answer.', lag: null };
  }
}
