import { api } from '../api/client.ts';
import * as model from '../state/model.ts';
import * as trace from '../state/trace.ts';
import { trying } from './problems.ts';
import { saveAs } from './sessions.ts';
import { readCycle } from './story.ts';

/** Reads which cycles the open conversation, or its session, has; with a cursor, the next page of them. */
export async function loadCycles(of: keyof typeof trace.lists, cursor: string | null = null): Promise<void> {
  const [sessionId, thread] = [model.sessionId.value, model.conversationId.value];
  const list = trace.lists[of];
  if (sessionId === null || thread === null) {
    list.value = { cycles: [], more: null };
    return;
  }
  await trying(async () => {
    const page = await api.cyclesOf(sessionId, of === 'conversation' ? thread : null, cursor);
    if (model.conversationId.value !== thread) return;
    const before = cursor === null ? [] : list.value.cycles;
    list.value = { cycles: [...before, ...page.data], more: page.next_cursor };
  });
}

/** Traces another cycle of the conversation. */
export async function traceCycle(cycleId: string): Promise<void> {
  endReplay();
  if (trace.compared.value?.cycle.cycle_id === cycleId) trace.compared.value = null;
  if (cycleId === model.story.value?.cycleId) {
    model.inspected.value = null;
    return;
  }
  await trying(async () => {
    const thread = model.conversationId.value;
    const read = await readCycle(cycleId);
    if (model.conversationId.value === thread) model.inspected.value = read;
  });
}

/** Puts a second cycle beside the traced one; none ends the comparison. */
export async function compareWith(cycleId: string): Promise<void> {
  endReplay();
  if (cycleId === '') {
    trace.compared.value = null;
    return;
  }
  await trying(async () => {
    const thread = model.conversationId.value;
    const read = await readCycle(cycleId);
    if (model.conversationId.value === thread) trace.compared.value = read;
  });
}

/** The whole record of a cycle with its event log, as a file. */
export function downloadTrace({ cycle, story }: trace.Traced): void {
  const text = JSON.stringify({ ...cycle, events: story.events }, null, 2);
  saveAs(new Blob([text], { type: 'application/json' }), `${cycle.cycle_id}.json`);
}

/** A replay takes this long, in milliseconds: a short cycle is slowed down, a long one sped up. */
const REPLAY = { shortest: 4_000, longest: 20_000 };
const FRAME_MS = 50;

let ticking = 0;

/** How many times faster than it happened a replay of this length runs. */
export function replaySpeed(length: number): number {
  return length / Math.min(REPLAY.longest, Math.max(REPLAY.shortest, length));
}

/** Plays from the playhead, or from the beginning when it stands at the end. */
export function play(length: number): void {
  window.clearInterval(ticking);
  const from = trace.playhead.value;
  const begin = from === null || from >= length ? 0 : from;
  const began = performance.now();
  trace.playhead.value = begin;
  trace.playing.value = true;
  ticking = window.setInterval(() => {
    const at = begin + (performance.now() - began) * replaySpeed(length);
    trace.playhead.value = Math.min(length, at);
    if (at >= length) pause();
  }, FRAME_MS);
}

export function pause(): void {
  window.clearInterval(ticking);
  trace.playing.value = false;
}

/** Puts the playhead somewhere and leaves it there. */
export function seek(at: number): void {
  pause();
  trace.playhead.value = at;
}

/** Shows the whole cycle again. */
export function endReplay(): void {
  pause();
  trace.playhead.value = null;
}
