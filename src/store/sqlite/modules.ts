import type { MemoryDAL } from '../memory-dal.ts';
import { activityModule } from './activity.ts';
import { agentStatesModule } from './agent-states.ts';
import { budgetsModule } from './budgets.ts';
import { causalModule } from './causal-store.ts';
import { causalVectorsModule } from './causal-vectors.ts';
import { conversationsModule } from './conversations.ts';
import { cyclesModule } from './cycles.ts';
import { factsModule } from './facts.ts';
import { jobsModule } from './jobs.ts';
import { lessonsModule } from './lessons.ts';
import { maintenanceModule } from './maintenance.ts';
import { reindexModule } from './reindex.ts';
import { retentionModule } from './retention.ts';
import { sessionsModule } from './sessions.ts';
import type { StoreModule } from './store-module.ts';
import { summariesModule } from './summaries.ts';
import { transferModule } from './transfer.ts';
import { turnIndexModule } from './turn-index.ts';
import { turnsModule } from './turns.ts';
import { vectorsModule } from './vectors.ts';

/** What stands behind each store of `MemoryDAL` on SQLite. A new store is a line here. */
export const SQLITE_MODULES = {
  sessions: sessionsModule,
  conversations: conversationsModule,
  turns: turnsModule,
  index: turnIndexModule,
  vectors: vectorsModule,
  summaries: summariesModule,
  agents: agentStatesModule,
  facts: factsModule,
  lessons: lessonsModule,
  cycles: cyclesModule,
  budgets: budgetsModule,
  reindex: reindexModule,
  retention: retentionModule,
  jobs: jobsModule,
  causal: causalModule,
  causalVectors: causalVectorsModule,
  activity: activityModule,
  maintenance: maintenanceModule,
  transfer: transferModule,
} satisfies { [K in keyof Omit<MemoryDAL, 'close' | 'shared' | 'nearby'>]?: StoreModule<MemoryDAL[K]> };
