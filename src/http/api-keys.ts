import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { CccError } from '../base/ccc-error.ts';
import type { ApiKey } from '../config/api-keys.ts';
import type { MemoryService } from '../memory/memory-service.ts';
import { TOKEN_PREFIX } from '../memory/token.ts';
import { bearer } from './bearer.ts';
import type { Step } from './in-order.ts';
import { isOpen } from './open-paths.ts';
import { nameCaller } from './request-context.ts';

/** Paths that a session's token opens by itself: their routes look whose session is meant. */
const OF_A_SESSION = [
  /^\/v2\//,
  /^\/api\/v2\/sessions\/(?!import(?:[/?]|$))[^/?]+/,
  /^\/api\/v2\/(?:conversations|cycles)(?:[/?]|$)/,
];
const LIST_OF_SESSIONS = /^\/api\/v2\/sessions(?:\?|$)/;
/** Says whose 401 it is: an upstream's answer comes without such a header. */
const CHALLENGE = 'Bearer realm="ccc"';

/**
 * Where keys are configured, every request brings one of them, or the token of the session that it is about, as
 * `Authorization: Bearer`. A wrong key, a removed one and none at all are answered alike.
 */
export function requireKey(keys: readonly ApiKey[], memory: Pick<MemoryService, 'openByToken'>): Step {
  if (keys.length === 0) return (_req, _res, next) => next();
  return (req, res, next) => {
    const { url = '/', method = 'GET' } = req;
    if (isOpen(method, url)) {
      next();
      return;
    }
    const given = bearer(req);
    const key = given === null ? undefined : findKey(keys, given);
    if (key) {
      nameCaller(res, { kind: 'key', name: key.name, perMinute: key.perMinute });
      next();
    } else if (given?.startsWith(TOKEN_PREFIX) === true && isOfASession(req)) {
      openSession(memory, given, res).then(() => next(), next);
    } else {
      res.setHeader('www-authenticate', CHALLENGE);
      next(new CccError('invalid_api_key'));
    }
  };
}

/** All keys are compared, each in constant time: how long it takes tells nothing. */
function findKey(keys: readonly ApiKey[], given: string): ApiKey | undefined {
  const hash = createHash('sha256').update(given).digest();
  let found: ApiKey | undefined;
  for (const key of keys) if (timingSafeEqual(key.hash, hash)) found = key;
  return found;
}

function isOfASession({ url = '/', method }: IncomingMessage): boolean {
  return (
    OF_A_SESSION.some((pattern) => pattern.test(url)) || (method === 'GET' && LIST_OF_SESSIONS.test(url))
  );
}

/** @throws invalid_token */
async function openSession(
  memory: Pick<MemoryService, 'openByToken'>,
  token: string,
  res: ServerResponse,
): Promise<void> {
  const session = await memory.openByToken(token);
  if (!session) {
    res.setHeader('www-authenticate', CHALLENGE);
    throw new CccError('invalid_token');
  }
  nameCaller(res, { kind: 'session', name: session.sessionId, perMinute: null });
}
