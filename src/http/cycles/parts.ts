import type { Clock } from '../../base/clock.ts';
import type { Settings } from '../../config/schema.ts';
import type { CycleService } from '../../covenant/cycle-service.ts';
import type { MemoryService } from '../../memory/memory-service.ts';
import type { ChatProvider } from '../../models/provider.ts';
import type { MemoryDAL } from '../../store/memory-dal.ts';
import type { SessionRate } from '../session-rate.ts';

/** What the routes of cycles stand on. */
export interface CyclesParts {
  /** Counts the requests of each session; absent where nobody counts. */
  sessionRate?: Pick<SessionRate, 'count'>;
  cycles: CycleService;
  memory: MemoryService;
  dal: Pick<MemoryDAL, 'cycles' | 'budgets'>;
  provider: Pick<ChatProvider, 'info'>;
  settings: Pick<
    Settings,
    | 'CCC_MAX_BODY'
    | 'CCC_MAX_ROUNDS'
    | 'CCC_MAX_CONTEXT_TURNS'
    | 'CCC_MAX_CONTEXT_TOKENS'
    | 'CCC_SESSION_MAX_TOKENS'
    | 'CCC_SESSION_MAX_SECONDS'
    | 'CCC_SESSION_MAX_ROUNDS'
    | 'CCC_DAY_MAX_TOKENS'
    | 'CCC_DAY_MAX_SECONDS'
    | 'CCC_DAY_MAX_ROUNDS'
  >;
  clock: Clock;
  heartbeatMs?: number;
}
