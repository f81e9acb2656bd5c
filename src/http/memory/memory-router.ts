import { Router } from 'express';
import { agentsRouter } from './agents-router.ts';
import { analyticsRouter } from './analytics-router.ts';
import { contextRouter } from './context-router.ts';
import { conversationsRouter } from './conversations-router.ts';
import { factsRouter } from './facts-router.ts';
import { lessonsRouter } from './lessons-router.ts';
import type { MemoryParts } from './parts.ts';
import { sessionsRouter } from './sessions-router.ts';
import { transferRouter } from './transfer-router.ts';

/** Stage 2: sessions, conversations, turns, context, summaries, facts, agent states, export and import. */
export function memoryRouter(parts: MemoryParts): Router {
  const router = Router({ caseSensitive: true, strict: true });
  // Before the sessions: `import` would be taken for a session's id.
  router.use(transferRouter(parts));
  router.use(sessionsRouter(parts));
  router.use(analyticsRouter(parts));
  router.use(conversationsRouter(parts));
  router.use(contextRouter(parts));
  router.use(factsRouter(parts));
  router.use(agentsRouter(parts));
  router.use(lessonsRouter(parts));
  return router;
}
