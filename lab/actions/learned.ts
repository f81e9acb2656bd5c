import { api } from '../api/client.ts';
import { ApiError } from '../api/http.ts';
import { LEARNERS, learned, type Fact } from '../api/learned.ts';
import type { AgentName } from '../api/types.ts';
import { view } from '../state/view.ts';
import * as state from '../state/learned.ts';
import { sessionId } from '../state/model.ts';
import { goToTurn } from './paging.ts';
import { openSession } from './places.ts';
import { trying } from './problems.ts';
import { inspect } from './story.ts';

const AGENTS: AgentName[] = ['wykeve', 'beatrice', 'codey'];

/** Reads what the agents of the open session have learned, and how they have worked. */
export async function loadLessons(): Promise<void> {
  const session = sessionId.value;
  if (session === null) {
    state.lessons.value = null;
    return;
  }
  await trying(async () => {
    const [states, lessons] = await Promise.all([
      Promise.all(AGENTS.map((agent) => learned.state(session, agent))),
      Promise.all(LEARNERS.map((agent) => learned.lessons(session, agent))),
    ]);
    if (sessionId.value !== session) return;
    state.agentStates.value = states;
    state.lessons.value = lessons.flatMap((each) => each.lessons);
  }, true);
}

/** Reads the facts of the open session; with a cursor, the next page of them. */
export async function loadFacts(cursor: string | null = null): Promise<void> {
  const [session, past] = [sessionId.value, state.withPast.value];
  if (session === null) {
    state.facts.value = null;
    return;
  }
  await trying(async () => {
    const page = await learned.facts(session, past, cursor);
    if (sessionId.value !== session || state.withPast.value !== past) return;
    const before = cursor === null ? [] : (state.facts.value ?? []);
    state.facts.value = [...before, ...page.data];
    state.moreFacts.value = page.next_cursor;
  }, true);
}

/** How a change of the person's went. A conflict: somebody else was faster, and what they wrote is shown now. */
export type Change = 'done' | 'conflict' | 'failed';

/** Makes a change of the person's and reads anew what it has changed. */
export async function changing(
  change: (sessionId: string) => Promise<unknown>,
  reload: () => Promise<void>,
): Promise<Change> {
  const session = sessionId.value;
  if (session === null) return 'failed';
  let came: Change = 'done';
  const tried = await trying(async () => {
    try {
      await change(session);
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== 'version_conflict') throw error;
      came = 'conflict';
    }
    await reload();
  });
  return tried ? came : 'failed';
}

/** Leads to the cycle from which something was learned. */
export async function goToCycle(cycleId: string): Promise<void> {
  await trying(async () => {
    const { conversation_id: thread, session_id: session } = await api.cycle(cycleId);
    view.value = 'thread';
    await openSession(session, thread);
    await inspect(cycleId);
  });
}

/** Leads to the turn that told a fact. */
export async function goToSource({ conversation_id: thread, source_turn_id: turnId }: Fact): Promise<void> {
  if (thread === null || turnId === null) return;
  view.value = 'thread';
  await goToTurn(turnId, thread);
}
