import { CccError } from '../../base/ccc-error.ts';
import type { MemoryDeps } from '../deps.ts';
import type { MemoryService } from '../memory-service.ts';
import { found } from '../sessions.ts';

/** How often a person's summary is tried when a background one is stored at the same time. */
const TRIES = 20;

export function summaryMethods({ dal, clock }: MemoryDeps): Pick<MemoryService, 'getSummary' | 'putSummary'> {
  const requireScope = async (sessionId: string, conversationId: string | null) => {
    found(await dal.sessions.get(sessionId));
    if (conversationId === null) return;
    const conversation = await dal.conversations.get(conversationId);
    if (conversation?.sessionId !== sessionId) throw new CccError('conversation_not_found');
  };
  return {
    async getSummary(sessionId, conversationId) {
      await requireScope(sessionId, conversationId);
      const [current, history] = await Promise.all([
        dal.summaries.latest(sessionId, conversationId),
        dal.summaries.history(sessionId, conversationId),
      ]);
      return { current, history };
    },

    async putSummary({ sessionId, conversationId, text }) {
      await requireScope(sessionId, conversationId);
      for (let tries = 0; tries < TRIES; tries += 1) {
        const before = await dal.summaries.latest(sessionId, conversationId);
        const added = await dal.summaries.add({
          sessionId,
          conversationId,
          text,
          // The person has read what was there: their words stand for the same turns.
          coversThrough: before?.coversThrough ?? 0,
          firstTurnId: before?.firstTurnId ?? null,
          lastTurnId: before?.lastTurnId ?? null,
          author: 'person',
          createdAt: clock.now(),
          basedOnVersion: before?.version ?? 0,
        });
        if (added) return added;
      }
      throw new CccError('storage_failed', 'The summary kept changing while it was being written.');
    },
  };
}
