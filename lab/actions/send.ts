import { api } from '../api/client.ts';
import { ApiError } from '../api/http.ts';
import * as model from '../state/model.ts';
import { writePlace } from '../state/location.ts';
import { sendAgainAt } from '../state/draft.ts';
import { settings } from '../state/settings.ts';
import { cycleOptions } from './asked.ts';
import { sendDirect } from './direct.ts';
import { followCycle } from './follow.ts';
import { loadConversations } from './lists.ts';
import { isGone, loadSessions, opened, tellLost } from './places.ts';
import { readyAtEnd } from './paging.ts';
import { tell } from './problems.ts';

/** Gives a directive. True when the server has taken it; otherwise what was typed is kept. */
export async function sendDirective(directive: string): Promise<boolean> {
  await opened;
  model.problem.value = null;
  sendAgainAt.value = null;
  try {
    const sessionId = model.sessionId.value ?? (await newSession());
    await readyAtEnd();
    if (model.openSession.value?.user_preferences.covenant_mode === 'direct') {
      return await sendDirect(sessionId, directive);
    }
    const conversationId = model.conversationId.value;
    const begun = await api.startCycle(sessionId, {
      directive,
      ...(conversationId === null ? {} : { conversation_id: conversationId }),
      ...cycleOptions(settings.value),
    });
    model.conversationId.value = begun.conversation_id;
    writePlace({ sessionId, conversationId: begun.conversation_id });
    followCycle(begun.cycle_id, true);
    void loadConversations().catch(() => undefined);
    tries = 0;
    return true;
  } catch (error) {
    if (isGone(error)) tellLost(error, 'session');
    else tell(error);
    if (error instanceof ApiError && error.status === 429) waitAndSend(error.retryAfter);
    return false;
  }
}

/** Longest wait after which it is sent again without asking, and the wait when the server names none, in seconds. */
const WAIT = { longest: 60, unsaid: 5 };
/** As often it is tried by itself; then the person decides. */
const TRIES = 3;

let tries = 0;

/** A server that has too much to do says when to come back: then what was typed is sent again. */
function waitAndSend(seconds: number | null): void {
  const wait = seconds ?? WAIT.unsaid;
  if (wait > WAIT.longest || ++tries > TRIES) return;
  sendAgainAt.value = Date.now() + wait * 1_000;
}

async function newSession(): Promise<string> {
  const session = await api.createSession();
  model.sessionId.value = session.session_id;
  await loadSessions();
  return session.session_id;
}
