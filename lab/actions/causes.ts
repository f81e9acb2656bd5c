import { causes } from '../api/causes.ts';
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
  if (health.value?.causal.available === false) {
    forgetCauses();
    state.noCauses.value = health.value.causal.reason ?? 'Causal memory is not available.';
    return;
  }
  await trying(async () => {
    const graph = await causes.graph(session, MOST, around).catch((error: unknown) => {
      if (error instanceof ApiError && error.code === 'unknown_route') return null;
      throw error;
    });
    if (!graph) {
      forgetCauses();
      state.noCauses.value = 'This server does not tell about causes.';
      return;
    }
    const drawing = await layOutBeside(
      graph.nodes.map(({ event_id: id }) => ({ id, ...BOX })),
      graph.links.map((link) => ({ id: link.link_id, from: link.cause_id, to: link.effect_id })),
    );
    if (sessionId.value !== session) return;
    state.graph.value = graph;
    state.drawing.value = drawing;
    if (graph.nodes.length === 0) state.noCauses.value = 'No events are known in this session yet.';
  });
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

export function forgetCauses(): void {
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
