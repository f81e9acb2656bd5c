import type { Database } from 'better-sqlite3';
import type { Amount, BudgetLimits, BudgetScope, BudgetStore, Reservation } from '../budget-store.ts';
import {
  asMuchAs,
  costOf,
  dayOf,
  granted,
  left,
  NOTHING,
  type Left,
  type ReservationRow,
} from '../rows/budget-rules.ts';
import { callerSpending } from './caller-spending.ts';
import { prepared } from './connection.ts';
import type { StoreModule } from './store-module.ts';

export const budgetsModule: StoreModule<BudgetStore> = {
  writes: ['extend', 'settleInterrupted', 'spend'],
  create: (database) => ({
    ...callerSpending(database),
    extend: ({ sessionId, cycleId, tokens, ms, limits }) => {
      const row = findReservation(database, sessionId, cycleId);
      if (!row) return { tokens: 0, ms: 0 };
      const more = asMuchAs({ tokens, ms }, leftOf(database, { sessionId, day: row.day, limits }));
      prepared(
        database,
        `UPDATE budget_reservations SET tokens = tokens + @tokens, call_tokens = call_tokens + @tokens, ms = ms + @ms
          WHERE session_id = @sessionId AND cycle_id = @cycleId`,
      ).run({ ...more, sessionId, cycleId });
      return more;
    },
    standing: (sessionId, now) => {
      const of = (scope: BudgetScope) => ({
        spent: spentIn(database, scope, sessionId, dayOf(now)),
        reserved: reservedIn(database, scope, sessionId, dayOf(now)),
      });
      return { session: of('session'), session_day: of('session_day'), day: of('day') };
    },
    settleInterrupted: () => {
      const rows = prepared(database, 'SELECT * FROM budget_reservations').all() as ReservationRow[];
      for (const row of rows) settle(database, row, null);
      return rows.length;
    },
  }),
};

/**
 * The budget's part of a step boundary, inside its transaction: the last call is settled first, then the next one has to
 * fit. A call that an earlier process left open is settled at its estimate.
 *
 * @returns the time that is set aside, in milliseconds
 * @throws budget_exhausted when the reservation does not fit; `param` is `budget.<scope>.<tokens | ms | rounds>`
 */
export function applyBudget(
  database: Database,
  { sessionId, cycleId }: { sessionId: string; cycleId: string },
  boundary: { settle?: Amount; reserve?: Reservation; ended: boolean; now: number },
): number {
  const day = dayOf(boundary.now);
  const row = findReservation(database, sessionId, cycleId);
  if (boundary.settle || (row && (boundary.reserve || boundary.ended))) {
    settle(
      database,
      row ?? { session_id: sessionId, cycle_id: cycleId, day, call_tokens: 0, ...NOTHING },
      boundary.settle ?? null,
    );
  }
  if (!boundary.reserve) return 0;
  const { tokens, callTokens, rounds, limits } = boundary.reserve;
  const grantedMs = granted(boundary.reserve, leftOf(database, { sessionId, day, limits }));
  prepared(
    database,
    `INSERT INTO budget_reservations (session_id, cycle_id, day, tokens, ms, rounds, call_tokens)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
  ).run(sessionId, cycleId, day, tokens, grantedMs, rounds, callTokens);
  return grantedMs;
}

function findReservation(database: Database, sessionId: string, cycleId: string): ReservationRow | undefined {
  return prepared(database, 'SELECT * FROM budget_reservations WHERE session_id = ? AND cycle_id = ?').get(
    sessionId,
    cycleId,
  ) as ReservationRow | undefined;
}

/** Takes a reservation back and counts what the call has cost; by its estimate when that is not known. */
function settle(database: Database, row: ReservationRow, cost: Amount | null): void {
  const { session_id: sessionId, cycle_id: cycleId, day } = row;
  prepared(database, 'DELETE FROM budget_reservations WHERE session_id = ? AND cycle_id = ?').run(
    sessionId,
    cycleId,
  );
  const add = 'DO UPDATE SET tokens = tokens + @tokens, ms = ms + @ms, rounds = rounds + @rounds';
  const amount = { ...costOf(row, cost), day };
  prepared(
    database,
    `INSERT INTO session_spending (session_id, day, tokens, ms, rounds)
     VALUES (@sessionId, @day, @tokens, @ms, @rounds) ON CONFLICT (session_id, day) ${add}`,
  ).run({ ...amount, sessionId });
  prepared(
    database,
    `INSERT INTO day_spending (day, tokens, ms, rounds) VALUES (@day, @tokens, @ms, @rounds) ON CONFLICT (day) ${add}`,
  ).run(amount);
}

function leftOf(
  database: Database,
  { sessionId, day, limits }: { sessionId: string; day: number; limits: BudgetLimits },
): Left {
  return left(limits, (scope) => ({
    spent: spentIn(database, scope, sessionId, day),
    reserved: reservedIn(database, scope, sessionId, day),
  }));
}

const SUMS =
  'coalesce(sum(tokens), 0) AS tokens, coalesce(sum(ms), 0) AS ms, coalesce(sum(rounds), 0) AS rounds';

function spentIn(database: Database, scope: BudgetScope, sessionId: string, day: number): Amount {
  const sql = {
    session: `SELECT ${SUMS} FROM session_spending WHERE session_id = @sessionId`,
    session_day: `SELECT ${SUMS} FROM session_spending WHERE session_id = @sessionId AND day = @day`,
    day: `SELECT ${SUMS} FROM day_spending WHERE day = @day`,
  }[scope];
  return prepared(database, sql).get({ sessionId, day }) as Amount;
}

function reservedIn(database: Database, scope: BudgetScope, sessionId: string, day: number): Amount {
  const sql = {
    session: `SELECT ${SUMS} FROM budget_reservations WHERE session_id = @sessionId`,
    session_day: `SELECT ${SUMS} FROM budget_reservations WHERE session_id = @sessionId AND day = @day`,
    day: `SELECT ${SUMS} FROM budget_reservations WHERE day = @day`,
  }[scope];
  return prepared(database, sql).get({ sessionId, day }) as Amount;
}
