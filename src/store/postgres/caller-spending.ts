import { CALLER_DAYS, DAY_MS, SESSION_CALLER, type CallerSpending } from '../budget-store.ts';
import type { Queries } from './queries.ts';

/** What callers have spent in a day, on all servers. */
export const callerSpending = (db: Queries): CallerSpending => ({
  async spend(entries) {
    const sums: number[] = [];
    // In one order, so that two servers wait for each other and not in a circle.
    const order = entries.map((entry, at) => ({ ...entry, at, day: Math.floor(entry.at / DAY_MS) }));
    order.sort((a, b) => (a.caller < b.caller ? -1 : a.caller > b.caller ? 1 : a.day - b.day));
    for (const { caller, tokens, at, day } of order) {
      const sessionId = caller.startsWith(SESSION_CALLER) ? caller.slice(SESSION_CALLER.length) : null;
      // What an erased session has left under way does not bring its id back.
      const sum = await db.value<number>(
        `INSERT INTO caller_spending AS c (caller, day, tokens)
         SELECT $1, $2, $3 WHERE $4::text IS NULL OR EXISTS (SELECT 1 FROM sessions WHERE session_id = $4)
         ON CONFLICT (caller, day) DO UPDATE SET tokens = c.tokens + excluded.tokens RETURNING tokens`,
        caller,
        day,
        tokens,
        sessionId,
      );
      sums[at] = sum ?? 0;
    }
    const today = Math.max(0, ...order.map(({ day }) => day));
    await db.run('DELETE FROM caller_spending WHERE day <= $1', today - CALLER_DAYS);
    return sums;
  },
  spentBy: async (caller, at) =>
    (await db.value<number>(
      'SELECT tokens FROM caller_spending WHERE caller = $1 AND day = $2',
      caller,
      Math.floor(at / DAY_MS),
    )) ?? 0,
});
