import { CccError } from '../base/ccc-error.ts';
import { newId } from '../base/ids.ts';
import type { SessionRecord } from '../store/records.ts';
import type { MemoryDeps } from './deps.ts';
import type { MemoryService } from './memory-service.ts';
import { checkPreferences } from './preferences.ts';
import { newToken, tokenHash } from './token.ts';

type SessionMethods = Pick<
  MemoryService,
  | 'createSession'
  | 'openByToken'
  | 'getSession'
  | 'statistics'
  | 'listSessions'
  | 'setPreferences'
  | 'archiveSession'
  | 'eraseSession'
>;

export function found(session: SessionRecord | null): SessionRecord {
  if (!session) throw new CccError('session_not_found');
  return session;
}

export function sessionMethods({ dal, causal, clock, nudgeRetention }: MemoryDeps): SessionMethods {
  return {
    async createSession({ userPreferences = {}, initialContext = null }) {
      const token = newToken();
      const session = await dal.sessions.create({
        sessionId: newId('sess'),
        tokenHash: tokenHash(token),
        userPreferences: checkPreferences(userPreferences),
        initialContext,
        now: clock.now(),
      });
      return { session, token };
    },
    openByToken: (token) => dal.sessions.findByTokenHash(tokenHash(token)),
    getSession: async (sessionId) => found(await dal.sessions.get(sessionId)),
    async statistics(sessionId) {
      const statistics = await dal.sessions.statistics(sessionId);
      if (!statistics) throw new CccError('session_not_found');
      return statistics;
    },
    listSessions: (input) => dal.sessions.list(input),
    async setPreferences(sessionId, preferences) {
      const session = found(
        await dal.sessions.setPreferences(sessionId, checkPreferences(preferences), clock.now()),
      );
      if (preferences['memory_retention_days'] != null) nudgeRetention();
      return session;
    },
    archiveSession: async (sessionId) =>
      found(await dal.sessions.setStatus(sessionId, 'archived', clock.now())),
    async eraseSession(sessionId) {
      if (!(await dal.sessions.erase(sessionId))) throw new CccError('session_not_found');
      await causal?.eraseSession(sessionId);
    },
  };
}
