import type { IncomingHttpHeaders } from 'node:http';
import { CccError } from '../../base/ccc-error.ts';
import type { ChatFields } from './fields.ts';

/** An API key that begins like this is a session's token; any other key is the client's own business. */
const TOKEN_START = 'ccc_sess_';
/** Headers of a request that are CCC's own. */
export const NAMING_HEADERS: readonly string[] = ['x-ccc-session-id', 'x-ccc-conversation-id'];

interface Name {
  /** What the client has to change when two names differ. */
  param: string;
  id: string;
}

/** The session token that a request carries as its API key, or null. */
export function sessionToken(headers: IncomingHttpHeaders): string | null {
  const match = /^bearer\s+(\S+)\s*$/i.exec(headers.authorization ?? '');
  return match?.[1]?.startsWith(TOKEN_START) ? match[1] : null;
}

/**
 * The one session and conversation that a request names by its URL, its token, its headers and its body.
 * @throws invalid_request when two of them differ; `param` names the more particular one
 */
export function namesOf(input: {
  urlSessionId: string | null;
  tokenSessionId: string | null;
  headers: IncomingHttpHeaders;
  fields: ChatFields;
}): { sessionId: string | null; conversationId: string | null } {
  const { headers, fields } = input;
  return {
    sessionId: agree([
      { param: 'the URL', id: input.urlSessionId },
      { param: 'authorization', id: input.tokenSessionId },
      { param: 'x-ccc-session-id', id: header(headers['x-ccc-session-id']) },
      { param: 'session_id', id: fields.session_id ?? null },
    ]),
    conversationId: agree([
      { param: 'x-ccc-conversation-id', id: header(headers['x-ccc-conversation-id']) },
      { param: 'conversation_id', id: fields.conversation_id ?? null },
    ]),
  };
}

function agree(names: { param: string; id: string | null }[]): string | null {
  const [first, ...others] = names.filter((name): name is Name => name.id !== null);
  const other = others.find((name) => name.id !== first?.id);
  if (first && other) {
    throw new CccError('invalid_request', `${other.param} names another one than ${first.param} does.`, {
      param: other.param,
    });
  }
  return first?.id ?? null;
}

function header(value: string | string[] | undefined): string | null {
  const text = Array.isArray(value) ? value.join(',') : value;
  return text?.trim() || null;
}
