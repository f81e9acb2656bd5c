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
import type { Pgvector } from './pgvector.ts';
import type { PostgresModule } from './postgres-module.ts';
import { reindexModule } from './reindex.ts';
import { retentionModule } from './retention.ts';
import { sessionsModule } from './sessions.ts';
import { summariesModule } from './summaries.ts';
import { transferModule } from './transfer.ts';
import { turnIndexModule } from './turn-index.ts';
import { turnsModule } from './turns.ts';
import { vectorsModule } from './vectors.ts';

/** What stands behind each store of `MemoryDAL` on PostgreSQL, for one opened record. A new store is a line here. */
export const postgresModules = (pgvector: Pgvector | null) =>
  ({
    sessions: sessionsModule,
    conversations: conversationsModule,
    turns: turnsModule,
    index: turnIndexModule,
    summaries: summariesModule,
    agents: agentStatesModule,
    jobs: jobsModule,
    facts: factsModule,
    lessons: lessonsModule,
    cycles: cyclesModule,
    budgets: budgetsModule,
    activity: activityModule,
    causal: causalModule,
    causalVectors: causalVectorsModule,
    reindex: reindexModule,
    retention: retentionModule,
    maintenance: maintenanceModule,
    transfer: transferModule,
    vectors: vectorsModule(pgvector),
  }) satisfies {
    [K in keyof Omit<MemoryDAL, 'close' | 'shared' | 'nearby'>]: PostgresModule<MemoryDAL[K]>;
  };
