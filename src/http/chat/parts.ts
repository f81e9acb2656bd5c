import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import type { Settings } from '../../config/schema.ts';
import type { CycleService } from '../../covenant/cycle-service.ts';
import type { MemoryService } from '../../memory/memory-service.ts';
import type { ChatProvider } from '../../models/provider.ts';
import type { MemoryDAL } from '../../store/memory-dal.ts';
import type { SessionRate } from '../session-rate.ts';

/** What `/v2` chat stands on. */
export interface ChatParts {
  provider: ChatProvider;
  memory: MemoryService;
  cycles: CycleService;
  /** Only to find the conversation that a resent history belongs to. */
  store: Pick<MemoryDAL, 'turns'>;
  settings: Pick<
    Settings,
    | 'CCC_COVENANT_DEFAULT'
    | 'CCC_MAX_BODY'
    | 'CCC_MAX_CONTEXT_TOKENS'
    | 'CCC_MAX_CONTEXT_TURNS'
    | 'CCC_MAX_ROUNDS'
  >;
  /** Counts requests whose session only their body names. */
  sessionRate?: Pick<SessionRate, 'count'>;
  logger: Logger;
  clock: Clock;
  /** Milliseconds between two comments that keep a waiting stream alive; 15 s unless a test is in a hurry. */
  heartbeatMs?: number;
  /** Longest wait for one thing of memory (a context, a store), in milliseconds; then the answer goes without it. */
  memoryLimitMs?: number;
}

export const HEARTBEAT_MS = 15_000;
export const MEMORY_LIMIT_MS = 5_000;
