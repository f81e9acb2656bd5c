import type { NewJob } from '../../store/records.ts';

export const NOTE_HABITS = 'note_habits';

/** How long after an exchange the habits are counted, in milliseconds: the next exchanges are counted with it. */
const GATHER_MS = 5_000;

/** Counts anew how the agents of a session work. Waiting twins are one. */
export function habitsJob(now: number): NewJob {
  return { kind: NOTE_HABITS, dedupeKey: '', payload: {}, runAt: now + GATHER_MS };
}
