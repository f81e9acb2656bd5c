import type { Clock } from '../../base/clock.ts';
import { CallBudget } from '../../causal/judging/call-budget.ts';
import type { JobRunner } from '../../jobs/job-runner.ts';
import type { ChatProvider } from '../../models/provider.ts';
import type { MemoryDAL } from '../../store/memory-dal.ts';
import { extractFacts } from './extract-facts.ts';
import { EXTRACT_FACTS } from './jobs.ts';
import { modelReader } from './model-reader.ts';
import { ruleReader } from './rule-reader.ts';

export interface FactsDeps {
  dal: Pick<MemoryDAL, 'facts' | 'turns'>;
  provider: ChatProvider;
  model: string;
  /** Most model calls in a minute. */
  maxCallsPerMinute: number;
  clock: Clock;
}

/** Puts the reader of facts to work on its jobs: a model, or for the rehearsal a documented rule. */
export function registerFacts(jobs: Pick<JobRunner, 'register' | 'nudge'>, deps: FactsDeps): void {
  const { dal, provider, model, maxCallsPerMinute, clock } = deps;
  const reader =
    provider.info.name === 'rehearsal'
      ? ruleReader
      : modelReader({ provider, model, budget: new CallBudget(maxCallsPerMinute, clock) });
  const handler = extractFacts({ dal, reader, clock });
  jobs.register(EXTRACT_FACTS, async (job, context) => {
    await handler(job, context);
    // What is left of a long conversation is due at once.
    jobs.nudge();
  });
}
