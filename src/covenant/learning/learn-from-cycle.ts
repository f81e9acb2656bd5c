import type { Clock } from '../../base/clock.ts';
import type { JobHandler, JobRunner } from '../../jobs/job-runner.ts';
import { isToBeRetired } from '../../memory/lessons/effect.ts';
import type { EmbeddingProvider } from '../../models/embeddings/embedding-provider.ts';
import type { CycleStepRecord } from '../../store/cycle-store.ts';
import type { CycleLessons } from '../../store/lesson-store.ts';
import type { MemoryDAL } from '../../store/memory-dal.ts';
import type { MachineState } from '../machine/state.ts';
import { fromJson, type StoredRequest } from '../runner/stored-request.ts';
import type { Verdict } from '../verdict/verdict-schema.ts';
import { firstReview, LEARN_FROM_CYCLE } from './jobs.ts';
import { lessonsOfCycle } from './lessons-of-cycle.ts';
import { mergeSameMeaning } from './same-meaning.ts';

export interface LearningDeps {
  dal: Pick<MemoryDAL, 'cycles' | 'lessons'>;
  /** Finds lessons that are known in other words; null judges by words alone. */
  embeddings: EmbeddingProvider | null;
  clock: Clock;
}

/** Lessons that are looked at for what is known already. */
const MOST_KNOWN = 1_000;

/** Puts learning to work on its jobs. */
export function registerLearning(jobs: Pick<JobRunner, 'register'>, deps: LearningDeps): void {
  jobs.register(LEARN_FROM_CYCLE, learnFromCycle(deps));
}

/**
 * Learns from a cycle that has ended, from its record alone: new lessons, and what the ones it was given are worth. A
 * second time it changes nothing, so a job that was killed at any moment is simply done again.
 */
export function learnFromCycle({ dal, embeddings, clock }: LearningDeps): JobHandler {
  return async ({ sessionId, payload }, { signal }) => {
    const cycle = await dal.cycles.get(String(payload['cycle_id']));
    if (cycle?.sessionId !== sessionId) return;
    const { cycleId } = cycle;
    const state = fromJson<MachineState>(cycle.machine);
    const stored = fromJson<StoredRequest>(cycle.request);
    const [steps, known] = await Promise.all([
      dal.cycles.steps(sessionId, cycleId),
      dal.lessons.list(sessionId, 'codey', MOST_KNOWN),
    ]);
    const byWords = lessonsOfCycle({ cycleId, state, stored, proposed: proposedIn(steps) }, known);
    const learned = await mergeSameMeaning(byWords, known, embeddings, signal);
    const trial = trialOf(state, stored);
    await dal.lessons.learn({ sessionId, cycleId, ...learned, trial, now: clock.now() });
    for (const lessonId of [...(trial?.given ?? []), ...(trial?.withheld ?? [])]) {
      const lesson = await dal.lessons.get(sessionId, lessonId);
      if (!lesson || !isToBeRetired(lesson)) continue;
      const changes = { status: 'retired' } as const;
      const { version: expectedVersion } = lesson;
      await dal.lessons.change({ sessionId, lessonId, expectedVersion, changes, now: clock.now() });
    }
  };
}

/** The reviewer's lesson of each round, from its last verdict that could be read. */
function proposedIn(steps: readonly CycleStepRecord[]): Map<number, string> {
  const proposed = new Map<number, string>();
  for (const { kind, status, round, output } of steps) {
    const verdict = output?.['verdict'] as unknown as Verdict | undefined;
    if (kind === 'review' && status === 'done' && verdict?.lesson) proposed.set(round, verdict.lesson);
  }
  return proposed;
}

/** How the lessons of a cycle did: by the review of its first draft. */
function trialOf(state: MachineState, { lessons = [] }: StoredRequest): CycleLessons['trial'] {
  const review = firstReview(state);
  if (!review || lessons.length === 0) return null;
  const ids = (given: boolean) =>
    lessons.filter((each) => each.given === given).map(({ lessonId }) => lessonId);
  return { given: ids(true), withheld: ids(false), approved: review.accepted };
}
