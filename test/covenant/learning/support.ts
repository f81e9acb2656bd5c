import { systemClock } from '../../../src/base/clock.ts';
import { learnFromCycle } from '../../../src/covenant/learning/learn-from-cycle.ts';
import type { CycleResult } from '../../../src/covenant/cycle-service.ts';
import type { EmbeddingProvider } from '../../../src/models/embeddings/embedding-provider.ts';
import type { LessonRecord } from '../../../src/store/lesson-store.ts';
import type { JobRecord } from '../../../src/store/records.ts';
import { role, streamed, type Upstream, type UpstreamCall } from '../../support/upstream.ts';
import type { Bench } from '../support.ts';

export interface ScriptedIssue {
  id: string;
  fix: string;
  where?: string;
  severity?: 'blocker' | 'major' | 'minor';
}

/** A verdict as a reviewer writes it. */
export function verdict(fields: {
  issues?: ScriptedIssue[];
  resolved?: string[];
  lesson?: string;
  decision?: string;
}): string {
  const issues = (fields.issues ?? []).map((issue) => ({ severity: 'major', where: 'the draft', ...issue }));
  return JSON.stringify({
    decision: fields.decision ?? (issues.length > 0 ? 'revise' : 'approve'),
    issues,
    resolved: fields.resolved ?? [],
    criteria: [],
    lesson: fields.lesson ?? null,
  });
}

/** Scripts a cycle whose drafts get these verdicts, one each. */
export function expectRounds(upstream: Upstream, verdicts: string[]): void {
  upstream.expect(role('guidance'), streamed(['Mind the form.']));
  verdicts.forEach((each, at) => {
    upstream
      .expect(role('draft'), streamed([`Draft ${String(at + 1)}.`]))
      .expect(role('verdict'), streamed([each]));
  });
}

/** Runs a cycle on what memory says about its directive, and has it learn, as the background does. */
export async function runAndLearn(
  bench: Bench,
  directive: string,
  embeddings: EmbeddingProvider | null = null,
): Promise<CycleResult> {
  const { dal, memory, sessionId, conversationId } = bench;
  const context = await memory.buildContext({
    sessionId,
    conversationId,
    directive,
    maxTurns: 0,
    maxTokens: 500,
    includeAgentState: true,
    includeCausal: false,
    alreadySent: [],
  });
  const request = { model: 'client-model', messages: [{ role: 'user', content: directive }] };
  const run = await bench.cycles.start(
    bench.input({ directive, request, context: { ...context, prompt: null } }),
  );
  const result = await run.done;
  await learn(dal, embeddings);
  return result;
}

/** Does all jobs of learning that wait. */
export async function learn(dal: Bench['dal'], embeddings: EmbeddingProvider | null = null): Promise<number> {
  const input = { kinds: ['learn_from_cycle'], limit: 100, leaseMs: 60_000, now: Date.now() + 60_000 };
  const jobs: JobRecord[] = await dal.jobs.claim(input);
  for (const job of jobs) {
    await learnFromCycle({ dal, embeddings, clock: systemClock })(job, {
      signal: new AbortController().signal,
      attempt: 1,
      isLastAttempt: false,
    });
    await dal.jobs.complete(job.sessionId, job.jobId);
  }
  return jobs.length;
}

export function codeysLessons({ dal, sessionId }: Bench): Promise<LessonRecord[]> {
  return dal.lessons.list(sessionId, 'codey', 100);
}

/** All the text of a call's messages. */
export function promptOf(call: UpstreamCall): string {
  return (call.json.messages as { content: string }[]).map(({ content }) => content).join('\n');
}
