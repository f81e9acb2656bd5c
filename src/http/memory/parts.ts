import type { CausalMemoryCore } from '../../causal/causal-memory-core.ts';
import type { Settings } from '../../config/schema.ts';
import type { CycleService } from '../../covenant/cycle-service.ts';
import type { MemoryService } from '../../memory/memory-service.ts';
import type { MemoryDAL } from '../../store/memory-dal.ts';
import type { SessionRate } from '../session-rate.ts';

/** What the memory routes stand on. */
export interface MemoryParts {
  memory: MemoryService;
  /** A session that is erased takes its running cycles with it. */
  cycles: Pick<CycleService, 'stopSession'>;
  dal: MemoryDAL;
  causal: CausalMemoryCore;
  /** Counts requests whose session only their body names. */
  sessionRate?: Pick<SessionRate, 'count'>;
  settings: Pick<Settings, 'CCC_MAX_BODY' | 'CCC_MAX_CONTEXT_TURNS' | 'CCC_MAX_CONTEXT_TOKENS'>;
}
