import { onTestFinished } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { JobRunner } from '../../../src/jobs/job-runner.ts';
import { createMemoryService } from '../../../src/memory/create-memory-service.ts';
import { factsJob } from '../../../src/memory/facts/jobs.ts';
import { registerFacts } from '../../../src/memory/facts/register.ts';
import { createProvider } from '../../../src/models/create-provider.ts';
import { createOpenAiProvider } from '../../../src/models/openai/openai-provider.ts';
import type { ChatProvider } from '../../../src/models/provider.ts';
import { completion, startUpstream } from '../../support/upstream.ts';
import { openMemory, recordFile } from '../support.ts';

/** Memory that notes facts, with a scripted model. Jobs are due at once. */
export async function withModel(file = recordFile()) {
  const upstream = await startUpstream();
  onTestFinished(() => upstream.close());
  const provider = createOpenAiProvider({
    baseUrl: upstream.baseUrl,
    apiKey: 'sk-test',
    model: 'm',
    timeoutMs: 5_000,
    maxRetries: 0,
  });
  return { upstream, ...(await noting(provider, file)) };
}

/** The same with the rehearsal provider, which reads by rule. */
export async function withRule(file = recordFile()) {
  return noting(
    createProvider({
      provider: 'rehearsal',
      baseUrl: undefined,
      apiKey: undefined,
      model: 'ccc-rehearsal',
      timeoutMs: 1_000,
      maxRetries: 0,
    }),
    file,
  );
}

async function noting(provider: ChatProvider, file: string) {
  const { dal } = await openMemory(file);
  const jobs = new JobRunner({ jobs: dal.jobs, backoff: { firstMs: 5, longestMs: 5 }, maxAttempts: 3 });
  onTestFinished(() => jobs.stop(0));
  const memory = createMemoryService({
    dal,
    jobsOfExchange: (conversationId, now) => [{ ...factsJob(conversationId, now), runAt: now }],
    nudgeJobs: () => {
      jobs.nudge();
    },
  });
  registerFacts(jobs, { dal, provider, model: 'm', maxCallsPerMinute: 1_000, clock: systemClock });
  const facts = async (sessionId: string) =>
    (await memory.listFacts({ sessionId, current: false, limit: 1_000, cursor: null })).items.map(
      ({ subject, attribute, value, validUntil }) =>
        `${subject} | ${attribute} | ${value}${validUntil === null ? '' : ' (once)'}`,
    );
  return { dal, jobs, memory, facts };
}

/** A model's answer with these facts, each told by the turn of that number. */
export function answer(...facts: [turn: number, attribute: string, value: string, more?: object][]) {
  return completion({
    content: JSON.stringify({
      facts: facts.map(([turn, attribute, value, more]) => ({
        turn,
        subject: 'the person',
        attribute,
        value,
        text: `The person's ${attribute} is ${value}.`,
        only_one: true,
        holds: true,
        ...more,
      })),
    }),
  });
}
