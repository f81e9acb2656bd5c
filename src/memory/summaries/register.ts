import type { JobRunner } from '../../jobs/job-runner.ts';
import type { SummariserDeps } from './ask.ts';
import { SUMMARISE_CONVERSATION, SUMMARISE_SESSION } from './jobs.ts';
import { summariseConversation } from './summarise-conversation.ts';
import { summariseSession } from './summarise-session.ts';

/** Puts the summariser to work on its jobs. */
export function registerSummaries(jobs: Pick<JobRunner, 'register' | 'nudge'>, deps: SummariserDeps): void {
  const nudging =
    (handler: ReturnType<typeof summariseConversation>): typeof handler =>
    async (job, context) => {
      await handler(job, context);
      // What the handler has enqueued is due at once.
      jobs.nudge();
    };
  jobs.register(SUMMARISE_CONVERSATION, nudging(summariseConversation(deps)));
  jobs.register(SUMMARISE_SESSION, nudging(summariseSession(deps)));
}
