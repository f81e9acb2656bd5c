import { join } from 'node:path';
import type { RequestListener } from 'node:http';
import express from 'express';
import type { Registry } from 'prom-client';
import { CccError } from './base/ccc-error.ts';
import type { Clock } from './base/clock.ts';
import type { Logger } from './base/logger.ts';
import { PROJECT_ROOT } from './base/project-root.ts';
import type { CausalMemoryCore } from './causal/causal-memory-core.ts';
import type { Settings } from './config/schema.ts';
import type { CycleService } from './covenant/cycle-service.ts';
import { causalRouter } from './http/causal/causal-router.ts';
import { chatRouter } from './http/chat/chat-router.ts';
import { cyclesRouter } from './http/cycles/cycles-router.ts';
import { answerErrors, errorHandler, unknownRoute } from './http/errors.ts';
import { frontDoor } from './http/front-door.ts';
import { guards } from './http/guards.ts';
import { requireKey } from './http/api-keys.ts';
import type { Step } from './http/in-order.ts';
import { memoryRouter } from './http/memory/memory-router.ts';
import { HttpMetrics } from './http/operation/http-metrics.ts';
import { jobsRouter } from './http/operation/jobs-router.ts';
import { operationRouter } from './http/operation/operation-router.ts';
import { registerRecordMetrics } from './http/operation/record-metrics.ts';
import type { ServerState } from './http/operation/server-state.ts';
import { limitRate } from './http/rate-limit.ts';
import { SessionRate } from './http/session-rate.ts';
import { limitTokens } from './http/spending/limit-tokens.ts';
import type { SharedRateLimits } from './store/shared-record.ts';
import type { TokenLedger } from './http/spending/token-ledger.ts';
import { requestContext } from './http/request-context.ts';
import { securityHeaders } from './http/security-headers.ts';
import { staticPage } from './http/static-page.ts';
import { v1Routes } from './http/v1/v1-routes.ts';
import type { DenseRetrieval } from './memory/embeddings/create-dense-retrieval.ts';
import type { MemoryService } from './memory/memory-service.ts';
import type { ChatProvider } from './models/provider.ts';
import type { MemoryDAL } from './store/memory-dal.ts';

/** All that the HTTP side stands on. What is not there may be an `unavailable(...)`: `/v1` works without. */
export interface AppParts {
  version: string;
  settings: Settings;
  logger: Logger;
  clock: Clock;
  registry: Registry;
  state: ServerState;
  provider: ChatProvider;
  dal: MemoryDAL;
  memory: MemoryService;
  cycles: CycleService;
  causal: CausalMemoryCore;
  /** What callers have spent today; absent where nobody counts. */
  tokens?: TokenLedger;
  /** Limits of requests that count for all servers on the record; absent where there is one server only. */
  rateLimits?: SharedRateLimits | null;
  /** How the embedding model does; absent where there is none. */
  embeddings?: DenseRetrieval['status'];
  /** Tells the background work that there is something to do. */
  nudgeJobs?: () => void;
  /** Milliseconds between two comments on a silent event stream; for tests in a hurry. */
  heartbeatMs?: number;
}

/**
 * The whole HTTP side: every request passes the guards, then `/v1` is served at once and all else by Express. Routers
 * hold full paths and are mounted at the root, so that a route's pattern can be named in the log and the metrics.
 */
export function buildApp(parts: AppParts): RequestListener {
  const { settings, logger, registry, state } = parts;
  registerRecordMetrics(registry, parts);
  const sessionRate = new SessionRate(settings.CCC_SESSION_REQUESTS_PER_MINUTE, parts.rateLimits);
  const app = express();
  app.disable('x-powered-by');
  // Answers are made anew each time; the page's files have etags of their own.
  app.disable('etag');

  // First what is asked most: Express tries one route after the other.
  app.use(chatRouter({ ...parts, store: parts.dal, sessionRate }));
  app.use(operationRouter(parts));
  app.use(jobsRouter(parts));
  app.use(memoryRouter({ ...parts, sessionRate }));
  app.use(causalRouter(parts));
  app.use(cyclesRouter({ ...parts, sessionRate }));
  app.use(staticPage(join(PROJECT_ROOT, 'public')));

  app.use(unknownRoute);
  app.use(errorHandler(logger));

  return frontDoor({
    before: [
      requestContext(logger, new HttpMetrics(registry)),
      securityHeaders(),
      ...guards({
        host: settings.HOST,
        allowedHosts: settings.CCC_ALLOWED_HOSTS,
        corsOrigins: settings.CORS_ORIGINS,
      }),
      refuseWhileStopping(state),
      requireKey(settings.CCC_API_KEYS, parts.memory),
      limitRate(settings.CCC_REQUESTS_PER_MINUTE, parts.rateLimits),
      sessionRate.step(),
      ...(parts.tokens ? [limitTokens(parts.tokens)] : []),
    ],
    first: v1Routes(parts),
    then: app,
    onError: answerErrors(logger),
  });
}

/** A kept-alive connection may still bring requests after the listening has ended. */
function refuseWhileStopping(state: ServerState): Step {
  return (req, res, next) => {
    if (!state.draining) {
      next();
      return;
    }
    res.setHeader('connection', 'close');
    if (req.url?.startsWith('/health') !== true) throw new CccError('shutting_down');
    next();
  };
}
