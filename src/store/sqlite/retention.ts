import type { Json } from '../records.ts';
import type { RetentionStore } from '../retention-store.ts';
import { prepared } from './connection.ts';
import { insertJobs } from './job-rows.ts';
import { expiredEvents, linkedEvents, removeEvents } from './retention-events.ts';
import { leftovers, removeLeftovers } from './retention-leftovers.ts';
import { expiredTurns, removeTermsOfTurn, removeTurn } from './retention-turns.ts';
import { getSession } from './sessions.ts';
import type { StoreModule } from './store-module.ts';

export const retentionModule: StoreModule<RetentionStore> = {
  writes: ['removeTerms', 'removeTurn', 'removeLeftovers', 'removeEvents', 'settle'],
  erases: ['settle'],
  repeatable: ['removeTerms', 'removeTurn', 'removeLeftovers', 'removeEvents'],
  eases: ['removeTerms', 'removeTurn', 'removeLeftovers', 'removeEvents'],
  create: (database) => ({
    sessions: (after, limit) =>
      (
        prepared(
          database,
          `SELECT session_id AS sessionId, user_preferences -> '$.memory_retention_days' AS days,
                  analyser_version AS analyserVersion FROM sessions
            WHERE session_id > ? AND status <> 'importing' ORDER BY session_id LIMIT +?`,
        ).all(after, limit) as { sessionId: string; days: string | null; analyserVersion: number }[]
      ).map((row) => ({ ...row, days: row.days === null ? null : (JSON.parse(row.days) as Json) })),
    expiredTurns: (input) => expiredTurns(database, input),
    removeTerms: (input) => removeTermsOfTurn(database, input),
    removeTurn: (input) => removeTurn(database, input),
    leftovers: (sessionId, before, limit) => leftovers(database, sessionId, before, limit),
    removeLeftovers: (sessionId, left) => removeLeftovers(database, sessionId, left),
    expiredEvents: (input) => expiredEvents(database, input),
    linked: (sessionId, eventNos) => linkedEvents(database, sessionId, eventNos),
    removeEvents: (input) => removeEvents(database, input),
    settle: (sessionId, jobs, now) => {
      // Erased meanwhile: nothing is left to be done for it.
      if (getSession(database, sessionId)) insertJobs(database, sessionId, jobs, now);
    },
  }),
};
