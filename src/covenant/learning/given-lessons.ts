import { createHash } from 'node:crypto';
import { lessonLine, type ChosenLesson } from '../../memory/lessons/choose-lessons.ts';
import type { LessonAgent } from '../../store/lesson-store.ts';

/** One cycle in so many runs without the lessons that were chosen for it: what they are worth is measured on it. */
const ONE_IN = 5;

/** A lesson that was chosen for a cycle, as it is stored with it: a restart writes the same prompts. */
export interface GivenLesson {
  lessonId: string;
  agent: LessonAgent;
  /** As it stands in the prompt. */
  line: string;
  /** False: held back, to see how the cycle goes without it. */
  given: boolean;
}

/** What of the chosen lessons a cycle is given. Pinned ones always are: the person wants them. */
export function lessonsForCycle(cycleId: string, chosen: readonly ChosenLesson[]): GivenLesson[] {
  const without = isWithout(cycleId);
  return chosen.map(({ lesson }) => ({
    lessonId: lesson.lessonId,
    agent: lesson.agent,
    line: lessonLine(lesson),
    given: lesson.pinned || !without,
  }));
}

/** By the cycle's id alone, so that it is the same whenever it is asked. */
export function isWithout(cycleId: string): boolean {
  return createHash('sha256').update(cycleId).digest().readUInt32BE(0) % ONE_IN === 0;
}

/** The lessons that the prompt of an agent's call holds: Codey's own; for guidance, which is for Codey, all of them. */
export function lessonsInCall(
  call: 'guide' | 'draft' | 'review',
  lessons: readonly GivenLesson[] = [],
): GivenLesson[] {
  if (call === 'review') return [];
  return lessons.filter(({ agent, given }) => given && (call === 'guide' || agent === 'codey'));
}
