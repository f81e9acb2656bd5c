import { api } from '../api/client.ts';
import * as model from '../state/model.ts';
import { writePlace } from '../state/location.ts';
import { turnsFrom } from './lists.ts';
import { openConversation } from './places.ts';
import { trying } from './problems.ts';
import { shownTurn } from './shown.ts';

/** Turns that are read at a time when the reader comes near the first or last one that is loaded. */
const STEP = 50;
/** Most turns on the page at once: at the other end as many leave as have come. */
const MOST = 200;

let reading = false;

/** One reading at a time: scrolling asks many times for the same turns. */
async function read(work: (conversationId: string) => Promise<void>): Promise<void> {
  const { value: thread } = model.conversationId;
  if (thread === null || reading) return;
  reading = true;
  await trying(() => work(thread));
  reading = false;
}

/** Brings the turns before the first one that is loaded. */
export async function loadEarlier(): Promise<void> {
  await read(async (thread) => {
    const before = model.firstTurn.value;
    const from = Math.max(1, before - STEP);
    if (before <= 1) return;
    const earlier = await turnsFrom(thread, from, before - from);
    if (model.conversationId.value !== thread || model.firstTurn.value !== before) return;
    const all = [...earlier.map(shownTurn), ...model.turns.value];
    const kept = all.slice(0, MOST);
    model.firstTurn.value = from;
    if (kept.length < all.length) model.laterTurn.value = (kept.at(-1)?.number ?? from) + 1;
    model.turns.value = kept;
  });
}

/** Brings the turns after the last one that is loaded. */
export async function loadLater(): Promise<void> {
  await read(async (thread) => {
    const from = model.laterTurn.value;
    if (from === null) return;
    const page = await api.conversation(thread, from, STEP);
    if (model.conversationId.value !== thread || model.laterTurn.value !== from) return;
    model.turnCount.value = page.turn_count;
    // What is being written now is no stored turn: the end is opened as it is.
    if (page.next_from === null && model.running.value !== null) {
      await openConversation(thread);
      return;
    }
    const all = [...model.turns.value, ...page.turns.map(shownTurn)];
    const kept = all.slice(-MOST);
    model.laterTurn.value = page.next_from;
    model.firstTurn.value = kept[0]?.number ?? model.firstTurn.value;
    model.turns.value = kept;
  });
}

/** Goes to the first or to the last turn of the open conversation. */
export async function goTo(end: 'beginning' | 'end'): Promise<void> {
  const { value: thread } = model.conversationId;
  if (thread !== null) await openConversation(thread, end === 'beginning' ? 1 : null);
}

/** Goes to a turn, in whatever conversation it was said. */
export async function goToTurn(
  turnId: string,
  conversationId: string,
  turnNumber: number | null = null,
): Promise<void> {
  const here = model.turns.value.find((turn) => turn.turnId === turnId);
  if (!here) {
    await trying(async () => {
      await openConversation(conversationId, turnNumber ?? (await numberOf(turnId, conversationId)));
    });
    return;
  }
  model.openPanel.value = null;
  model.markedTurnId.value = null;
  model.markedTurnId.value = turnId;
  writePlace({ sessionId: model.sessionId.value, conversationId, turn: here.number });
}

/** Where a turn stands in its conversation; null when it is not there any more. Looks from the end. */
async function numberOf(turnId: string, conversationId: string): Promise<number | null> {
  const { turn_count: count } = await api.conversation(conversationId, 1, 1);
  for (let to = count; to > 0; to -= 1_000) {
    const from = Math.max(1, to - 999);
    const { turns } = await api.conversation(conversationId, from, to - from + 1);
    const found = turns.find(({ turn_id: id }) => id === turnId);
    if (found) return found.turn_number;
  }
  return null;
}

/** Before something is said at the end: the end is shown, and the page holds no more turns than it should. */
export async function readyAtEnd(): Promise<void> {
  if (model.laterTurn.value !== null) await goTo('end');
  const { value: all } = model.turns;
  if (all.length <= MOST || all.at(-MOST)?.number == null) return;
  model.turns.value = all.slice(-MOST);
  model.firstTurn.value = model.turns.value[0]?.number ?? 1;
}
