import { api } from '../api/client.ts';
import { ApiError } from '../api/http.ts';
import type { Turn } from '../api/types.ts';
import * as model from '../state/model.ts';
import { tellGone } from './problems.ts';
import { shownTurn } from './shown.ts';

export async function loadConversations(cursor: string | null = null): Promise<void> {
  const sessionId = model.sessionId.value;
  if (sessionId === null) return;
  const page = await api.conversations(sessionId, cursor);
  if (model.sessionId.value !== sessionId) return;
  model.conversations.value = cursor === null ? page.data : [...model.conversations.value, ...page.data];
  model.moreConversations.value = page.next_cursor;
}

/** When the person last changed a session here; without end while the server has not taken it yet. */
const changedAt = new Map<string, number>();

/** Notes that a session is being changed here. Returns what to call when the server has answered. */
export function changing(sessionId: string): () => void {
  changedAt.set(sessionId, Infinity);
  return () => changedAt.set(sessionId, performance.now());
}

/** Whether what was asked for at `since` is older than what the person has chosen meanwhile. */
export function isStale(sessionId: string, since: number): boolean {
  return (changedAt.get(sessionId) ?? 0) >= since;
}

/** A shared link may lead to a session that is not among those listed so far. */
export async function rememberSession(sessionId: string): Promise<void> {
  const since = performance.now();
  const session = await api.session(sessionId);
  const others = model.sessions.value.filter((known) => known.session_id !== sessionId);
  if (others.length === model.sessions.value.length) model.sessions.value = [session, ...others];
  else if (!isStale(sessionId, since)) {
    model.sessions.value = model.sessions.value.map((known) =>
      known.session_id === sessionId ? session : known,
    );
  }
}

/** The turns from a number on: so many, or all to the end. */
export async function turnsFrom(
  conversationId: string,
  from: number,
  limit: number | null = null,
): Promise<Turn[]> {
  if (limit !== null) return (await api.conversation(conversationId, from, limit)).turns;
  const all: Turn[] = [];
  for (let next: number | null = from; next !== null;) {
    const page = await api.conversation(conversationId, next, 1_000);
    all.push(...page.turns);
    next = page.next_from;
  }
  return all;
}

/** Reads the end of the open conversation again, so that each turn has its id and its place. */
export async function refreshTurns(): Promise<void> {
  const conversationId = model.conversationId.value;
  if (conversationId === null) return;
  try {
    const from = model.firstTurn.value;
    // Who reads in the middle is not moved; the end is read when it is come to.
    const stored = model.laterTurn.value === null ? await turnsFrom(conversationId, from) : [];
    if (model.conversationId.value !== conversationId || model.running.value !== null) return;
    const checks = new Map(model.turns.value.map((turn) => [turn.key, turn.checks]));
    if (stored.length > 0 && model.firstTurn.value === from && model.laterTurn.value === null) {
      model.turnCount.value = stored.at(-1)?.turn_number ?? 0;
      model.turns.value = stored
        .map(shownTurn)
        .map((turn) => ({ ...turn, checks: checks.get(turn.key) ?? [] }));
    }
    const sessionId = model.sessionId.value;
    await Promise.all([loadConversations(), sessionId === null ? null : rememberSession(sessionId)]);
  } catch (error) {
    // Otherwise what is shown is what was heard; the next opening reads it again.
    if (error instanceof ApiError && error.status === 404) tellGone(error);
  }
}
