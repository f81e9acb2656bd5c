import type { Clock } from '../base/clock.ts';
import type { JobHandler, JobRunner } from '../jobs/job-runner.ts';
import type { EmbeddingProvider } from '../models/embeddings/embedding-provider.ts';
import type { ChatProvider } from '../models/provider.ts';
import type { MemoryDAL } from '../store/memory-dal.ts';
import type { NewJob } from '../store/records.ts';
import { extractEvents } from './extraction/extract-events.ts';
import { modelExtractor } from './extraction/model-extractor.ts';
import { ruleExtractor } from './extraction/rule-extractor.ts';
import { CallBudget } from './judging/call-budget.ts';
import { judgeEvent } from './judging/judge-event.ts';
import { CAUSAL_EXTRACT, CAUSAL_JUDGE, extractJob, judgeJobs } from './judging/jobs.ts';
import { embedEventsJob, type EmbedPortion } from './meaning/embed-events.ts';
import type { MeaningSearch } from './meaning/meaning-search.ts';
import { modelJudge } from './judging/model-judge.ts';
import { ruleJudge } from './judging/rule-judge.ts';

export interface CausalJobsDeps {
  dal: Pick<MemoryDAL, 'causal' | 'turns'>;
  provider: ChatProvider;
  model: string;
  /** Most model calls in a minute; 0 leaves causes to the person. */
  maxCallsPerMinute: number;
  /** Finds candidates by meaning, and embeds what is new before it is judged; null without a model for that. */
  meaning: { search: MeaningSearch; portion: EmbedPortion } | null;
  clock: Clock;
  changed: (sessionId: string) => void;
}

/** The jobs that causal memory wants stored: none when nobody would do them. */
export interface CausalJobs {
  ofExchange(conversationId: string, now: number): NewJob[];
  ofEvents(eventIds: string[], now: number): NewJob[];
  /** Of events whose texts are new to this server, whoever judged them. */
  ofTexts(now: number): NewJob[];
}

/** Which jobs there will be. The rules of the rehearsal model cost nothing and are not counted. */
export function causalJobs(
  provider: ChatProvider,
  maxCallsPerMinute: number,
  embeddings: EmbeddingProvider | null,
): CausalJobs {
  const active = maxCallsPerMinute > 0 || provider.info.name === 'rehearsal';
  const ofTexts = (now: number) => (embeddings ? [embedEventsJob(now)] : []);
  return {
    ofTexts,
    ofExchange: (conversationId, now) => (active ? [extractJob(conversationId, now)] : []),
    ofEvents: (eventIds, now) => [...ofTexts(now), ...(active ? judgeJobs(eventIds, now) : [])],
  };
}

/** Puts reader and judge to work on their jobs: a model, or for the rehearsal a documented rule. */
export function registerCausalJobs(
  jobs: Pick<JobRunner, 'register' | 'nudge'>,
  { dal, provider, model, maxCallsPerMinute, meaning, clock, changed }: CausalJobsDeps,
): void {
  const byRule = provider.info.name === 'rehearsal';
  const asking = { provider, model, budget: new CallBudget(maxCallsPerMinute, clock) };
  const nudging =
    (handler: JobHandler): JobHandler =>
    async (job, context) => {
      await handler(job, context);
      jobs.nudge();
    };
  jobs.register(
    CAUSAL_EXTRACT,
    nudging(
      extractEvents({
        dal,
        extractor: byRule ? ruleExtractor : modelExtractor(asking),
        jobsOfTexts: (now) => (meaning ? [embedEventsJob(now)] : []),
        clock,
        changed,
      }),
    ),
  );
  jobs.register(
    CAUSAL_JUDGE,
    judgeEvent({
      store: dal.causal,
      judge: byRule ? ruleJudge : modelJudge(asking),
      ...(meaning ? { meaning } : {}),
      clock,
      changed,
    }),
  );
}
