import { systemClock } from '../base/clock.ts';
import { silentLogger } from '../base/logger.ts';
import { agentStateMethods } from './agent-states.ts';
import { contextMethods } from './context/build-context.ts';
import { gather } from './context/gather.ts';
import { gathererNearby } from './context/nearby.ts';
import type { MemoryDeps } from './deps.ts';
import { factMethods } from './facts/fact-methods.ts';
import type { MemoryService } from './memory-service.ts';
import { lessonMethods } from './lessons/lesson-methods.ts';
import { createRetriever } from './retrieval/retriever.ts';
import { sessionMethods } from './sessions.ts';
import { Growth } from './summaries/growth.ts';
import { summaryMethods } from './summaries/summary-methods.ts';
import { transferMethods } from './transfer/transfer-methods.ts';
import { turnMethods } from './turns.ts';

/**
 * The memory over a record. Only the record is needed; without the rest there are no causes and no background work, and
 * turns are found by their words alone.
 */
export function createMemoryService(
  options: Pick<MemoryDeps, 'dal'> & Partial<Omit<MemoryDeps, 'dal' | 'gather'>>,
): MemoryService {
  const { dal } = options;
  const finders = { dal, retriever: options.retriever ?? createRetriever({ dal }) };
  const deps: MemoryDeps = {
    ...finders,
    gather: (options.retriever ? null : gathererNearby(dal)) ?? ((request) => gather(finders, request)),
    causal: null,
    jobsOfExchange: () => [],
    jobsOfImport: () => [],
    jobsOfImportedSession: () => [],
    asStored: (text) => text,
    growth: new Growth(0),
    nudgeRetention: () => undefined,
    nudgeJobs: () => undefined,
    clock: systemClock,
    logger: silentLogger,
    ...options,
  };
  return Object.freeze({
    ...sessionMethods(deps),
    ...turnMethods(deps),
    ...agentStateMethods(deps),
    ...summaryMethods(deps),
    ...factMethods(deps),
    ...lessonMethods(deps),
    ...contextMethods(deps),
    ...transferMethods(deps),
    asStored: deps.asStored,
  });
}
