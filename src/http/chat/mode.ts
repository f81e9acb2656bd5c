import { CccError } from '../../base/ccc-error.ts';
import type { ChatParts } from './parts.ts';
import type { ChatCall } from './chat-call.ts';

export type Mode =
  | { mode: 'cycle' }
  /** `reason` says why a request that would have been supervised is not; null when it was not to be. */
  | { mode: 'direct'; reason: string | null };

/**
 * Who decides: the request, else the session's preference `covenant_mode`, else the server's default. What a cycle
 * cannot do is never dropped in silence: a request that asks for a cycle by itself is refused, one that would only
 * have got it by preference or default is answered directly and told why.
 *
 * @throws invalid_request
 */
export function chooseMode(parts: ChatParts, call: ChatCall): Mode {
  const asked = call.fields.covenant?.mode;
  const preferred = call.session?.userPreferences['covenant_mode'];
  const mode =
    asked ??
    (preferred === 'cycle' || preferred === 'direct' ? preferred : parts.settings.CCC_COVENANT_DEFAULT);
  if (mode === 'direct') return { mode, reason: null };
  const obstacle = findObstacle(call);
  if (!obstacle) return { mode };
  if (asked)
    throw new CccError('invalid_request', `${obstacle.reason} Use covenant.mode "direct".`, obstacle);
  return { mode: 'direct', reason: obstacle.reason };
}

/** What in the request a cycle cannot honour. */
function findObstacle({ body, messages, directive }: ChatCall): { param: string; reason: string } | null {
  if (!messages || !directive) {
    return { param: 'messages', reason: 'A cycle needs a directive: a message of the user.' };
  }
  if (directive.index !== messages.length - 1) {
    return { param: 'messages', reason: 'A cycle begins with a message of the user as the last one.' };
  }
  const present = (key: string) => body[key] !== undefined && body[key] !== null && body[key] !== false;
  const hasItems = (key: string) => Array.isArray(body[key]) && body[key].length > 0;
  if (present('n') && body['n'] !== 1)
    return { param: 'n', reason: 'A cycle gives one answer: n must be 1.' };
  for (const param of ['logprobs', 'top_logprobs']) {
    if (present(param)) return { param, reason: 'A cycle cannot give log probabilities.' };
  }
  if (hasItems('functions') && body['function_call'] !== 'none') {
    return { param: 'functions', reason: 'A cycle calls tools only in their newer form, `tools`.' };
  }
  const modalities = body['modalities'];
  if (present('audio') || (Array.isArray(modalities) && modalities.some((item) => item !== 'text'))) {
    return { param: 'modalities', reason: 'A cycle answers in text only.' };
  }
  return null;
}
