import { api } from '../api/client.ts';
import { ApiError } from '../api/http.ts';
import type { Session } from '../api/types.ts';
import * as model from '../state/model.ts';
import { upstreamRefuses } from '../state/key.ts';
import { readPlace, writePlace } from '../state/location.ts';
import { readView } from '../state/view.ts';
import { followCycle, leaveCycle } from './follow.ts';
import { isStale, loadConversations, refreshTurns, rememberSession, turnsFrom } from './lists.ts';
import { hearErased } from './other-tabs.ts';
import { tell, trying, whenBack, whenGone } from './problems.ts';
import { shownTurn } from './shown.ts';

/** Turns that are loaded when a conversation is opened. */
const PAGE = 100;

/** What the server would say of a session that another tab has deleted. */
const GONE = new ApiError(404, 'session_not_found', 'This session does not exist.');

let nowOpen: () => void = () => undefined;
/** Resolves once the place that the address names is open: nothing is sent before, or it would go elsewhere. */
export const opened = new Promise<void>((resolve) => {
  nowOpen = resolve;
});

/** Opens what the address names. Called once. */
export async function start(): Promise<void> {
  window.addEventListener('popstate', () => void returnToPlace());
  document.addEventListener('visibilitychange', () => void lookAgain());
  whenGone((error) => {
    tellLost(error, 'conversation');
  });
  hearErased((sessionId) => {
    if (sessionId === model.sessionId.value) tellLost(GONE, 'session');
    else void loadSessions();
  });
  whenBack(() => void Promise.all([loadSessions(), reopen(), loadModels()]));
  const place = readPlace();
  await Promise.all([
    trying(async () => {
      model.health.value = await api.health();
    }),
    loadSessions(),
    place.sessionId === null ? null : openSession(place.sessionId, place.conversationId, place.turn),
  ]);
  nowOpen();
  await loadModels();
}

/** The list is a help for typing a model's name, and the first to tell that the upstream refuses its key. */
async function loadModels(): Promise<void> {
  try {
    model.models.value = (await api.models()).data.map(({ id }) => id);
    upstreamRefuses.value = false;
  } catch {
    // Without the list the name is typed whole.
  }
}

/** Back or forward. Where a new conversation had been begun there is an empty one: to open another would cut the way on. */
async function returnToPlace(): Promise<void> {
  const { sessionId, conversationId } = readPlace();
  if (conversationId !== null || sessionId === null || sessionId !== model.sessionId.value) {
    await openPlace();
    return;
  }
  readView();
  if (model.conversationId.value !== null) startConversation();
}

async function openPlace(): Promise<void> {
  readView();
  const place = readPlace();
  if (place.sessionId === null) closeSession();
  else await openSession(place.sessionId, place.conversationId, place.turn);
}

/** Other windows and clients write too: who comes back to this one sees what has come meanwhile. */
async function lookAgain(): Promise<void> {
  if (document.visibilityState !== 'visible' || !model.connected.value) return;
  await Promise.all([loadSessions(), upstreamRefuses.value ? loadModels() : null]);
  const { value: thread } = model.conversationId;
  const sessionId = model.sessionId.value;
  if (thread === null || sessionId === null || model.running.value !== null) return;
  try {
    const last = (await api.cycles(sessionId, thread)).data[0];
    if (model.conversationId.value !== thread || model.running.value !== null) return;
    if (last && last.outcome === null && last.cycle_id !== model.story.value?.cycleId)
      await openConversation(thread);
    else await refreshTurns();
  } catch (error) {
    tellLost(error, 'session');
  }
}

async function reopen(): Promise<void> {
  const { value: thread } = model.conversationId;
  // Who reads in the middle stays there.
  const middle = model.laterTurn.value === null ? null : model.firstTurn.value + PAGE / 2;
  if (thread !== null) await openConversation(thread, middle);
  else if (model.sessionId.value !== null) await openSession(model.sessionId.value);
}

export async function loadSessions(cursor: string | null = null): Promise<void> {
  await trying(async () => {
    const { value: name } = model.sessionFilter;
    const since = performance.now();
    const page = await api.sessions(name, cursor);
    // Something else has been typed meanwhile.
    if (name !== model.sessionFilter.value) return;
    const before = cursor === null ? [] : model.sessions.value;
    const listed = new Set(page.data.map(({ session_id: id }) => id));
    // The open session may lie on a page that has not come yet, or have come by its link already.
    const open = model.openSession.value;
    const apart = cursor === null && open && !listed.has(open.session_id) ? [open] : [];
    model.sessions.value = [
      ...apart,
      ...before.filter(({ session_id: id }) => !listed.has(id)),
      ...page.data.map((session) => (isStale(session.session_id, since) ? known(session) : session)),
    ];
    model.moreSessions.value = page.next_cursor;
  });
}

/** The session as the page has it. */
function known(session: Session): Session {
  return model.sessions.value.find(({ session_id: id }) => id === session.session_id) ?? session;
}

/** Counts the openings: one that is still reading when another begins is not the person's wish any more. */
let openings = 0;

/** Opens a session at a conversation: the named one, else the newest. */
export async function openSession(
  sessionId: string,
  conversationId: string | null = null,
  turn: number | null = null,
): Promise<void> {
  if (model.sessionId.value !== sessionId) {
    clearConversation();
    model.conversations.value = [];
    model.moreConversations.value = null;
    model.found.value = null;
  }
  const opening = ++openings;
  model.sessionId.value = sessionId;
  model.problem.value = null;
  try {
    await Promise.all([loadConversations(), rememberSession(sessionId)]);
  } catch (error) {
    if (opening === openings) tellLost(error, 'session');
    return;
  }
  if (opening !== openings) return;
  const newest = conversationId ?? model.conversations.value[0]?.conversation_id ?? null;
  if (newest === null) startConversation();
  else await openConversation(newest, conversationId === null ? null : turn);
}

export function closeSession(): void {
  clearConversation();
  model.sessionId.value = null;
  model.conversations.value = [];
  model.found.value = null;
  writePlace({ sessionId: null, conversationId: null });
}

/** An empty conversation; it exists on the server with its first directive. */
export function startConversation(): void {
  clearConversation();
  model.openPanel.value = null;
  writePlace({ sessionId: model.sessionId.value, conversationId: null });
  focusComposer();
}

/** Leads to the text box, once it is drawn. */
export function focusComposer(): void {
  window.requestAnimationFrame(() => document.getElementById('directive')?.focus());
}

function clearConversation(): void {
  openings++;
  leaveCycle();
  model.conversationId.value = null;
  model.turns.value = [];
  model.firstTurn.value = 1;
  model.laterTurn.value = null;
  model.turnCount.value = 0;
  model.markedTurnId.value = null;
}

/** Opens a conversation at its end or around a turn, and takes up the cycle that runs in it. */
export async function openConversation(conversationId: string, turn: number | null = null): Promise<void> {
  clearConversation();
  model.conversationId.value = conversationId;
  model.openPanel.value = null;
  model.problem.value = null;
  model.loading.value = true;
  try {
    const { turn_count: count, session_id: sessionId } = await api.conversation(conversationId, 1, 1);
    const from = Math.max(1, Math.min(count - PAGE + 1, (turn ?? count) - PAGE / 2));
    const toEnd = turn === null || from + PAGE > count;
    const stored = count === 0 ? [] : await turnsFrom(conversationId, from, toEnd ? null : PAGE);
    if (model.conversationId.value !== conversationId) return;
    model.sessionId.value = sessionId;
    model.firstTurn.value = from;
    model.laterTurn.value = toEnd ? null : from + PAGE;
    model.turnCount.value = count;
    model.turns.value = stored.map(shownTurn);
    if (turn !== null) {
      model.markedTurnId.value = stored.find(({ turn_number: number }) => number === turn)?.turn_id ?? null;
    }
    writePlace({ sessionId, conversationId, turn });
    const last = (await api.cycles(sessionId, conversationId)).data[0];
    if (!last || model.conversationId.value !== conversationId) return;
    const atWork = last.outcome === null;
    if (atWork && toEnd)
      model.turns.value = model.turns.value.filter(({ cycleId }) => cycleId !== last.cycle_id);
    followCycle(last.cycle_id, atWork);
  } catch (error) {
    tellLost(error, 'conversation');
  } finally {
    model.loading.value = false;
  }
}

/** Whether what was asked for does not exist (any more). */
export function isGone(error: unknown): boolean {
  return error instanceof ApiError && error.status === 404;
}

/** Says that a place is gone, and leads to one that is not. */
export function tellLost(error: unknown, what: 'session' | 'conversation'): void {
  if (!isGone(error)) {
    tell(error, { label: 'Try again', run: () => void openPlace() });
    return;
  }
  closeSession();
  void loadSessions();
  // The server keeps no trace of what was deleted: it cannot tell that from what never was.
  tell(new Error(`There is no such ${what}: it has been deleted, or the link to it is wrong.`), {
    label: 'Begin a new one',
    run: () => {
      model.problem.value = null;
      focusComposer();
    },
  });
}
