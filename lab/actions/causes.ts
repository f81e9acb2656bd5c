import { causes } from '../api/causes.ts';
import { inTime, turnsBack } from '../graph/in-time.ts';
import { ApiError } from '../api/http.ts';
import { layOutBeside } from '../graph/lay-out-beside.ts';
import * as state from '../state/causes.ts';
import { health, sessionId } from '../state/model.ts';
import { trying } from './problems.ts';

/** Events drawn at once; beyond that a neighbourhood is asked for. */
const MOST = 300;
/** Size of an event's box, in units of the drawing. */
export const BOX = { width: 208, height: 68 };

/** Reads and draws the causal graph of the open session: its newest events, or those around one. */
export async function loadCauses(around: string | null = null): Promise<void> {
  const session = sessionId.value;
  state.around.value = around;
  state.noCauses.value = '';
  if (session === null) {
    forgetCauses();
    return;
  }
  await trying(async () => {
    const answer = await causes.graph(session, MOST, around).catch((error: unknown) => {
      if (error instanceof ApiError && error.code === 'unknown_route') return null;
      throw error;
    });
    if (!answer) {
      forgetCauses();
      state.noCauses.value = 'This server does not tell about causes.';
      return;
    }
    // In the order of time: where the links leave a choice, what came earlier stands further to the left or above.
    const nodes = answer.nodes.toSorted((a, b) => Date.parse(a.happened_at) - Date.parse(b.happened_at));
    const graph = { ...answer, nodes };
    const drawing = await layOutBeside(
      graph.nodes.map(({ event_id: id }) => ({ id, ...BOX })),
      graph.links.map(inTime),
    );
    for (const link of graph.links) if (turnsBack(link)) drawing.arrows[link.link_id]?.reverse();
    if (sessionId.value !== session) return;
    state.graph.value = graph;
    state.drawing.value = drawing;
    // What the server said of itself when the page was opened may be over; what it answers now holds.
    if (graph.nodes.length > 0) return;
    const causal = health.value?.causal;
    state.noCauses.value =
      (causal?.available === false ? causal.reason : null) ?? 'No events are known in this session yet.';
  }, true);
}

/** Chooses an event and asks what led to it and what came of it. */
export async function chooseEvent(eventId: string): Promise<void> {
  const session = sessionId.value;
  if (session === null) return;
  state.chosen.value = { eventId, why: null, effects: null };
  await trying(async () => {
    const [why, effects] = await Promise.all([
      causes.why(session, eventId),
      causes.effects(session, eventId),
    ]);
    if (state.chosen.value?.eventId === eventId) state.chosen.value = { eventId, why, effects };
  });
}

/** Looks for events by their words. An empty query ends the search. */
export async function findEvents(query: string): Promise<void> {
  const session = sessionId.value;
  if (session === null || query === '') {
    state.foundEvents.value = null;
    return;
  }
  await trying(async () => {
    const { events } = await causes.find(session, query);
    if (sessionId.value === session) state.foundEvents.value = { query, events };
  });
}

/** Chooses an event, and draws its surroundings when it is not drawn yet. */
export async function showEvent(eventId: string): Promise<void> {
  if (!state.graph.value?.nodes.some(({ event_id: id }) => id === eventId)) await loadCauses(eventId);
  await chooseEvent(eventId);
}

export function forgetCauses(): void {
  state.foundEvents.value = null;
  state.graph.value = null;
  state.drawing.value = null;
  state.chosen.value = null;
}

/** Makes a change of the person's, and shows what follows from it. True when the server has taken it. */
export async function changeCauses(
  change: (sessionId: string) => Promise<unknown>,
  then: 'keep' | 'leave' = 'keep',
): Promise<boolean> {
  const session = sessionId.value;
  if (session === null) return false;
  const eventId = state.chosen.value?.eventId;
  return trying(async () => {
    await change(session);
    if (then === 'leave') state.chosen.value = null;
    // What was cut out around an event that is gone cannot be drawn again.
    await loadCauses(then === 'leave' ? null : state.around.value);
    if (then === 'keep' && eventId !== undefined) await chooseEvent(eventId);
  });
}
