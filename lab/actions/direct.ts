import { streamAnswer } from '../api/chat-stream.ts';
import * as model from '../state/model.ts';
import { writePlace } from '../state/location.ts';
import { upstreamRefuses } from '../state/key.ts';
import { settings } from '../state/settings.ts';
import { directOptions } from './asked.ts';
import { leaveCycle } from './follow.ts';
import { loadConversations, refreshTurns } from './lists.ts';
import { closed } from '../text/words.ts';
import { tell } from './problems.ts';
import { addText, showPieces, showTurn } from './shown.ts';

/** Turns of the open conversation that are sent along, as a chat client would. */
const HISTORY = 40;

/** Asks without supervision: one answer with memory. Resolves when the server has taken the directive. */
export function sendDirect(sessionId: string, directive: string): Promise<boolean> {
  leaveCycle();
  const abort = new AbortController();
  const key = `direct:${String(Date.now())}`;
  const answer = {
    key: `${key}:answer`,
    agent: 'codey',
    kind: 'answer',
    round: null,
    cycleId: null,
  } as const;
  model.running.value = {
    cycleId: null,
    cancel: () => {
      abort.abort();
    },
  };
  model.stateLine.value = 'Codey answers without supervision.';
  return new Promise((resolve, reject) => {
    let taken = false;
    streamAnswer(requestBody(sessionId, directive), abort.signal, {
      begun(conversationId) {
        taken = true;
        model.conversationId.value = conversationId ?? model.conversationId.value;
        writePlace({ sessionId, conversationId: model.conversationId.value });
        showTurn({ key, agent: 'wykeve', kind: 'directive', text: directive });
        showTurn({ ...answer, text: '', live: true });
        void loadConversations().catch(() => undefined);
        resolve(true);
      },
      text(piece) {
        addText(answer, piece);
      },
    })
      .then((memory) => {
        upstreamRefuses.value = false;
        finish(memory?.degraded ? closed(`Memory did not take part: ${memory.degraded}`) : '');
      })
      .catch((error: unknown) => {
        finish(abort.signal.aborted ? 'You stopped the answer.' : '');
        if (abort.signal.aborted) resolve(false);
        else if (taken) tell(error);
        else reject(error instanceof Error ? error : new Error(String(error)));
      });
  });

  function finish(line: string): void {
    showPieces();
    model.running.value = null;
    model.stateLine.value = line;
    model.turns.value = model.turns.value.flatMap((turn) =>
      turn.live ? (turn.text === '' ? [] : [{ ...turn, live: false }]) : [turn],
    );
    void refreshTurns();
  }
}

function requestBody(sessionId: string, directive: string): object {
  const history = model.turns.value
    .filter(
      ({ agent, kind }) =>
        agent === 'wykeve' || kind === 'answer' || (agent === 'codey' && kind === 'message'),
    )
    .slice(-HISTORY)
    .map(({ agent, text }) => ({ role: agent === 'wykeve' ? 'user' : 'assistant', content: text }));
  const conversationId = model.conversationId.value;
  return {
    messages: [...history, { role: 'user', content: directive }],
    session_id: sessionId,
    ...(conversationId === null ? {} : { conversation_id: conversationId }),
    ...directOptions(settings.value, model.health.value?.provider.model),
    covenant: { mode: 'direct' },
  };
}
