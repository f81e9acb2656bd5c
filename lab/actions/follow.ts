import { api } from '../api/client.ts';
import { watchCycle, type CycleEvent } from '../api/events.ts';
import {
  connected,
  cycle,
  inspected,
  running,
  stateLine,
  story,
  turns,
  type CycleStory,
} from '../state/model.ts';
import { upstreamRefuses } from '../state/key.ts';
import { faultStatus } from '../trace/fault.ts';
import { refreshTurns } from './lists.ts';
import { tell, tellGone, trying } from './problems.ts';
import { heard, newStory } from './story.ts';
import { addText, keyOf, showPieces, showTurn } from './shown.ts';

let stop: (() => void) | null = null;

/** Lets go of the cycle that is watched. The cycle itself goes on. */
export function leaveCycle(): void {
  stop?.();
  stop = null;
  running.value = null;
  story.value = null;
  cycle.value = null;
  inspected.value = null;
  stateLine.value = '';
}

/**
 * Follows a cycle: one at work until it ends, an ended one for its story.
 * @param show true when its turns are shown from its events; false when they are shown already
 */
export function followCycle(cycleId: string, show: boolean, after = 0): void {
  stop?.();
  const known = story.value?.cycleId === cycleId && after > 0 ? story.value : null;
  const told: CycleStory = known ? { ...known, ended: null, interrupted: false } : newStory(cycleId);
  story.value = told;
  inspected.value = null;
  if (show) running.value = { cycleId, cancel: () => void cancelCycle(cycleId) };
  void refreshCycle(cycleId);
  let heardSinceOpen = false;
  const close = watchCycle(cycleId, after, {
    event(event) {
      heardSinceOpen = true;
      const current = story.value;
      if (current?.cycleId !== cycleId) return;
      if (event.type !== 'delta') {
        // A reconnected stream may repeat itself; what was heard is not heard again.
        if (event.seq <= current.lastSeq) return;
        story.value = { ...current, lastSeq: event.seq };
      }
      if (show) showEvent(cycleId, event);
      if (story.value) story.value = heard(story.value, event);
      if (event.type === 'cycle_ended') {
        close();
        if (show) void ended(cycleId);
      } else if (event.type !== 'delta' && event.type !== 'step_started') void refreshCycle(cycleId);
    },
    open() {
      connected.value = true;
    },
    broken(final, whole) {
      // A connection that was cut says nothing about the cycle; a stream that ends at once says that nobody works on it.
      const idle = whole && !heardSinceOpen;
      heardSinceOpen = false;
      if (final || idle) void lookAfter(cycleId, close, final);
      if (show) connected.value = false;
    },
  });
  stop = close;
}

/** The stream ended before the cycle did: is the server gone, the cycle deleted, or does nobody work on it? */
async function lookAfter(cycleId: string, close: () => void, final: boolean): Promise<void> {
  try {
    const view = await api.cycle(cycleId);
    connected.value = true;
    const current = story.value;
    if (current?.cycleId !== cycleId || view.outcome !== null) return;
    // It answers, it has not ended, and its stream closes without a word: it was interrupted.
    if (!final && current.lastSeq === 0) return;
    close();
    running.value = null;
    cycle.value = view;
    story.value = { ...current, interrupted: true };
    stateLine.value = '';
  } catch (error) {
    const { status } = error as { status?: number };
    if (final || status === 404) close();
    if (status === 404) tellGone(error);
    else tell(error);
  }
}

async function refreshCycle(cycleId: string): Promise<void> {
  try {
    const view = await api.cycle(cycleId);
    if (story.value?.cycleId === cycleId) cycle.value = view;
  } catch {
    // The trace waits for the next look; whoever watches the stream tells what is wrong.
  }
}

async function ended(cycleId: string): Promise<void> {
  stop = null;
  running.value = null;
  stateLine.value = '';
  connected.value = true;
  turns.value = turns.value.map((turn) => (turn.live ? { ...turn, live: false } : turn));
  await Promise.all([refreshCycle(cycleId), refreshTurns()]);
  const view = cycle.value;
  if (view?.cycle_id !== cycleId) return;
  if (faultStatus(view) === 401) upstreamRefuses.value = true;
  else if (view.rounds > 0) upstreamRefuses.value = false;
}

const AT_WORK = {
  guide: () => 'Beatrice reads the directive and writes her guidance.',
  draft: (round: number) =>
    round === 1 ? 'Codey writes a first draft.' : `Codey revises: draft ${String(round)}.`,
  review: (round: number) => `Beatrice reviews draft ${String(round)}.`,
};

/** Ends that deliver nothing: what waits or may go on, and what nobody wanted any more. */
const WITHOUT_ANSWER = ['awaiting_decision', 'awaiting_tools', 'drained', 'client_cancelled'];

/** What an event shows in the conversation. */
function showEvent(cycleId: string, event: CycleEvent): void {
  if (event.type === 'delta') {
    const { agent, round, step, text } = event;
    addText({ key: keyOf(cycleId, step, round), agent, kind: step, round, cycleId }, text);
    return;
  }
  showPieces();
  const done = { live: false, cycleId, when: event.created_at };
  switch (event.type) {
    case 'cycle_started':
      showTurn({
        ...done,
        key: keyOf(cycleId, 'directive', null),
        agent: 'wykeve',
        kind: 'directive',
        text: event.directive,
      });
      stateLine.value = 'The cycle begins.';
      return;
    case 'step_started': {
      const kind = ({ guide: 'guidance', draft: 'draft', review: 'verdict' } as const)[event.step];
      stateLine.value = AT_WORK[event.step](event.round);
      const key = keyOf(cycleId, kind, event.round);
      showTurn({ key, agent: event.agent, kind, round: event.round, cycleId, text: '', live: true });
      return;
    }
    case 'guidance':
    case 'draft':
    case 'verdict': {
      const { round, text } = event;
      showTurn({
        ...done,
        key: keyOf(cycleId, event.type, round),
        agent: event.type === 'draft' ? 'codey' : 'beatrice',
        kind: event.type,
        round,
        text,
        ...(event.type === 'verdict' ? { verdict: event.verdict } : {}),
        ...(event.type === 'draft' ? { checks: event.checks } : {}),
      });
      return;
    }
    case 'verdict_unreadable':
      stateLine.value = 'The review could not be read; Beatrice is asked again.';
      return;
    case 'resumed':
      stateLine.value = 'The cycle goes on.';
      return;
    case 'lessons_learned':
    case 'tools_called':
    case 'tools_answered':
      // Clients with tools are elsewhere; the page shows the stored turns when the cycle rests.
      return;
    case 'decided':
      if (event.text !== '') {
        const key = `${cycleId}:decided:${String(event.seq)}`;
        showTurn({ ...done, key, agent: 'wykeve', kind: 'message', text: event.text });
      }
      return;
    case 'cycle_ended':
      // What was begun and came to nothing is no turn.
      turns.value = turns.value.filter(
        (turn) => !(turn.cycleId === cycleId && turn.live && turn.text === ''),
      );
      if (event.answer !== '' && !WITHOUT_ANSWER.includes(event.outcome)) {
        showTurn({
          ...done,
          key: keyOf(cycleId, 'answer', null),
          agent: 'codey',
          kind: 'answer',
          round: event.round,
          text: event.answer,
        });
      }
  }
}

async function cancelCycle(cycleId: string): Promise<void> {
  stateLine.value = 'Stopping …';
  await trying(() => api.cancelCycle(cycleId));
}

/** Goes on with a cycle that a crash or a stop of the server interrupted. */
export async function resumeCycle(): Promise<void> {
  const current = story.value;
  if (!current) return;
  await trying(async () => {
    await api.resumeCycle(current.cycleId);
    followCycle(current.cycleId, true, current.lastSeq);
  });
}

/** The person's word on a cycle that waits for it. */
export async function decide(decision: 'approve' | 'reject' | 'steer', text: string): Promise<boolean> {
  const current = story.value;
  if (current?.draftHash == null) return false;
  const { cycleId, draftHash, lastSeq } = current;
  return trying(async () => {
    await api.decideCycle(cycleId, { decision, draft_hash: draftHash, ...(text === '' ? {} : { text }) });
    followCycle(cycleId, true, lastSeq);
  });
}
