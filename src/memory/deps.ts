import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { CausalMemoryCore } from '../causal/causal-memory-core.ts';
import type { MemoryDAL } from '../store/memory-dal.ts';
import type { NewJob } from '../store/records.ts';
import type { Retriever } from './retrieval/retriever.ts';
import type { Growth } from './summaries/growth.ts';
import type { GatherRequest, Gathered } from './context/context-types.ts';

/** What the parts of the memory service stand on. */
export interface MemoryDeps {
  dal: MemoryDAL;
  retriever: Retriever;
  /** Reads what a context needs of a session: beside the data where the record can and no model is asked. */
  gather: (request: GatherRequest) => Promise<Gathered>;
  /** Null: no causes in the context. */
  causal: Pick<CausalMemoryCore, 'narrative' | 'eraseSession'> | null;
  /** Further background work that new turns of a conversation ask for. */
  jobsOfExchange: (conversationId: string, now: number) => NewJob[];
  /** Background work that a conversation which was brought in asks for, besides its summary. */
  jobsOfImport: (conversationId: string, now: number) => NewJob[];
  /** And what the whole session asks for. */
  jobsOfImportedSession: (now: number) => NewJob[];
  /** A text as the record holds it: without the secrets in it. */
  asStored: (text: string) => string;
  /** Which conversations have grown enough for a look whether they are to be summarised. */
  growth: Growth;
  /** Called when a session may keep less, or another time, than before. */
  nudgeRetention: () => void;
  /** Called after jobs were stored, so that they are begun at once. */
  nudgeJobs: () => void;
  clock: Clock;
  logger: Logger;
}
