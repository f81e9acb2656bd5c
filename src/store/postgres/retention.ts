import { fromJson } from '../json-column.ts';
import type { RetentionStore } from '../retention-store.ts';
import { insertJobs } from './job-rows.ts';
import type { PostgresModule } from './postgres-module.ts';
import { expiredEvents, linkedEvents, removeEvents } from './retention-events.ts';
import { leftovers, removeLeftovers } from './retention-leftovers.ts';
import { expiredTurns, removeTerms, removeTurn } from './retention-turns.ts';
import { lockIfThere } from './session-lock.ts';
import { getSession } from './sessions.ts';

export const retentionModule: PostgresModule<RetentionStore> = {
  writes: ['removeTerms', 'removeTurn', 'removeLeftovers', 'removeEvents', 'settle'],
  snapshots: ['leftovers'],
  create: (db) => ({
    async sessions(after, limit) {
      const rows = await db.all<{ sessionId: string; preferences: string; analyserVersion: number }>(
        `SELECT session_id AS "sessionId", user_preferences AS preferences, analyser_version AS "analyserVersion"
           FROM sessions WHERE session_id > $1 AND status <> 'importing' ORDER BY session_id LIMIT $2`,
        after,
        limit,
      );
      return rows.map(({ preferences, ...session }) => ({
        ...session,
        days: fromJson(preferences)['memory_retention_days'] ?? null,
      }));
    },
    expiredTurns: (input) => expiredTurns(db, input),
    removeTerms: (input) => removeTerms(db, input),
    removeTurn: (input) => removeTurn(db, input),
    leftovers: (sessionId, before, limit) => leftovers(db, sessionId, before, limit),
    removeLeftovers: (sessionId, left) => removeLeftovers(db, sessionId, left),
    expiredEvents: (input) => expiredEvents(db, input),
    linked: (sessionId, eventNos) => linkedEvents(db, sessionId, eventNos),
    removeEvents: (input) => removeEvents(db, input),
    async settle(sessionId, jobs, now) {
      // Erased meanwhile: nothing is left to be done for it.
      if ((await lockIfThere(db, sessionId)) && (await getSession(db, sessionId))) {
        await insertJobs(db, sessionId, jobs, now);
      }
    },
  }),
};
