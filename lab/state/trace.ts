import { computed, signal } from '@preact/signals';
import type { CycleHead, CycleView } from '../api/types.ts';
import { cycle, inspected, story, type CycleStory } from './model.ts';

export interface Traced {
  story: CycleStory;
  cycle: CycleView;
}

/** The cycle that the trace shows: the one looked into, else the last of the conversation. */
export const traced = computed<Traced | null>(() => {
  if (inspected.value) return inspected.value;
  return story.value && cycle.value?.cycle_id === story.value.cycleId
    ? { story: story.value, cycle: cycle.value }
    : null;
});

/** A second cycle beside it. */
export const compared = signal<Traced | null>(null);
export interface CycleList {
  cycles: CycleHead[];
  more: string | null;
}

const NONE: CycleList = { cycles: [], more: null };
/** Cycles to choose from, newest first: of the open conversation, and of the whole session to put beside one. */
export const lists = {
  conversation: signal(NONE),
  session: signal(NONE),
};

/** Key of the chosen line: the tree, the timeline and the panel share it. */
export const selected = signal<string | null>(null);
/** Lines whose lines below are hidden. */
export const folded = signal<ReadonlySet<string>>(new Set());
/** The moment that is looked at, in milliseconds from the beginning; null shows the whole. */
export const playhead = signal<number | null>(null);
export const playing = signal(false);
