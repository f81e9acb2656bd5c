import type { Request } from 'express';
import { CccError } from '../base/ccc-error.ts';
import type { ErrorCode } from '../base/error-codes.ts';
import type { MemoryService } from '../memory/memory-service.ts';
import { TOKEN_PREFIX } from '../memory/token.ts';
import type { SessionRecord } from '../store/records.ts';
import { bearer } from './bearer.ts';

/**
 * A session's token opens that session and nothing else: asked for another one, the answer is the same as for one that
 * does not exist. A request without a token is not looked at here.
 * @throws invalid_token, or `hidden` when the token is another session's
 */
export async function checkToken(
  memory: Pick<MemoryService, 'openByToken'>,
  req: Request,
  sessionId: string,
  hidden: ErrorCode = 'session_not_found',
): Promise<void> {
  const session = await sessionOfToken(memory, req);
  if (session && session.sessionId !== sessionId) throw new CccError(hidden);
}

/** The session whose token a request brings; null when it brings none. @throws invalid_token */
export async function sessionOfToken(
  memory: Pick<MemoryService, 'openByToken'>,
  req: Request,
): Promise<SessionRecord | null> {
  const token = bearer(req);
  if (token?.startsWith(TOKEN_PREFIX) !== true) return null;
  const session = await memory.openByToken(token);
  if (!session) throw new CccError('invalid_token');
  return session;
}
