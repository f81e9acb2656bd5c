import { watchCycle, type CycleEvent } from '../api/events.ts';
import { api } from '../api/client.ts';
import type { CycleView } from '../api/types.ts';
import { inspected, openPanel, tab, type CycleStory } from '../state/model.ts';
import { trying } from './problems.ts';

export function newStory(cycleId: string): CycleStory {
  return {
    cycleId,
    directive: '',
    criteria: [],
    context: null,
    lastSeq: 0,
    draftHash: null,
    events: [],
    ended: null,
    interrupted: false,
  };
}

/** The story with what an event adds to it. */
export function heard(before: CycleStory, event: CycleEvent): CycleStory {
  if (event.type === 'delta') return before;
  const story = { ...before, events: [...before.events, event] };
  if (event.type === 'cycle_started') {
    const { directive, criteria, context } = event;
    return { ...story, directive, criteria, context };
  }
  if (event.type === 'draft') return { ...story, draftHash: event.hash };
  // The draft that waits for a decision need not be the newest.
  if (event.type === 'cycle_ended')
    return { ...story, ended: event, draftHash: event.draft_hash ?? story.draftHash };
  return story;
}

/** Shows an earlier cycle of the conversation in the panels; the conversation stays as it is. */
export async function inspect(cycleId: string): Promise<void> {
  await trying(async () => {
    inspected.value = await readCycle(cycleId);
    if (tab.value === 'settings') tab.value = 'context';
    openPanel.value = 'look';
  });
}

/** A cycle with its event log. */
export async function readCycle(cycleId: string): Promise<{ cycle: CycleView; story: CycleStory }> {
  const [cycle, story] = await Promise.all([api.cycle(cycleId), wholeStory(cycleId)]);
  return { cycle, story };
}

function wholeStory(cycleId: string): Promise<CycleStory> {
  return new Promise((resolve, reject) => {
    let story = newStory(cycleId);
    const close = watchCycle(cycleId, 0, {
      event(event) {
        story = heard(story, event);
      },
      open: () => undefined,
      // The server ends the stream when it has said all there is.
      broken(final, whole) {
        if (!final && !whole) return;
        close();
        if (story.directive === '') reject(new Error('The events of this cycle could not be read.'));
        else resolve(story);
      },
    });
  });
}
