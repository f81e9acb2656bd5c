import type { Database } from 'better-sqlite3';
import { CALLER_DAYS, DAY_MS, SESSION_CALLER, type CallerSpending } from '../budget-store.ts';
import { prepared } from './connection.ts';
import type { Sync } from './store-module.ts';

/** What callers have spent in a day. */
export const callerSpending = (database: Database): Sync<CallerSpending> => ({
  spend: (entries) => {
    for (const { caller, tokens, at } of entries) {
      // What an erased session has left under way does not bring its id back.
      prepared(
        database,
        `INSERT INTO caller_spending (caller, day, tokens)
         SELECT @caller, @day, @tokens
          WHERE @sessionId IS NULL OR EXISTS (SELECT 1 FROM sessions WHERE session_id = @sessionId)
         ON CONFLICT (caller, day) DO UPDATE SET tokens = tokens + @tokens`,
      ).run({
        caller,
        tokens,
        day: Math.floor(at / DAY_MS),
        sessionId: caller.startsWith(SESSION_CALLER) ? caller.slice(SESSION_CALLER.length) : null,
      });
    }
    const today = Math.floor(Math.max(0, ...entries.map(({ at }) => at)) / DAY_MS);
    prepared(database, 'DELETE FROM caller_spending WHERE day <= ?').run(today - CALLER_DAYS);
    return entries.map(({ caller, at }) => spentOf(database, caller, at));
  },
  spentBy: (caller, at) => spentOf(database, caller, at),
});

function spentOf(database: Database, caller: string, at: number): number {
  const tokens = prepared(database, 'SELECT tokens FROM caller_spending WHERE caller = ? AND day = ?')
    .pluck()
    .get(caller, Math.floor(at / DAY_MS));
  return (tokens as number | undefined) ?? 0;
}
