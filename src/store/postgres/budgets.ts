import type { Amount, BudgetScope, BudgetStore, Reservation } from '../budget-store.ts';
import {
  asMuchAs,
  costOf,
  dayOf,
  granted,
  left,
  limitingScopes,
  NOTHING,
  type Left,
  type ReservationRow,
} from '../rows/budget-rules.ts';
import { callerSpending } from './caller-spending.ts';
import type { PostgresModule } from './postgres-module.ts';
import type { Queries } from './queries.ts';
import { lockIfThere } from './session-lock.ts';

/** Of the advisory lock of a day's budget: "CCC" in ASCII; the other half is the day. */
const DAY_LOCK = 0x434343;

type Used = Record<BudgetScope, { spent: Amount; reserved: Amount }>;

export const budgetsModule: PostgresModule<BudgetStore> = {
  writes: ['extend', 'settleInterrupted', 'spend'],
  snapshots: ['standing'],
  create: (db) => ({
    ...callerSpending(db),
    async extend({ sessionId, cycleId, tokens, ms, limits }) {
      if (!(await lockIfThere(db, sessionId))) return { tokens: 0, ms: 0 };
      const row = await findReservation(db, sessionId, cycleId);
      if (!row) return { tokens: 0, ms: 0 };
      const more = asMuchAs({ tokens, ms }, await leftOf(db, { sessionId, day: row.day, limits }));
      await db.run(
        `UPDATE budget_reservations SET tokens = tokens + $3, call_tokens = call_tokens + $3, ms = ms + $4
          WHERE session_id = $1 AND cycle_id = $2`,
        sessionId,
        cycleId,
        more.tokens,
        more.ms,
      );
      return more;
    },
    standing: (sessionId, now) => usedOf(db, sessionId, dayOf(now)),
    // Another server may be making them. Whoever takes up the cycle of one that is gone settles its call.
    settleInterrupted: () => Promise.resolve(0),
  }),
};

/**
 * The budget's part of a step boundary, inside its transaction: the last call is settled first, then the next one has to
 * fit. A call that an earlier process left open is settled at its estimate.
 *
 * @returns the time that is set aside, in milliseconds
 * @throws budget_exhausted when the reservation does not fit; `param` is `budget.<scope>.<tokens | ms | rounds>`
 */
export async function applyBudget(
  db: Queries,
  { sessionId, cycleId }: { sessionId: string; cycleId: string },
  boundary: { settle?: Amount; reserve?: Reservation; ended: boolean; now: number },
): Promise<number> {
  const day = dayOf(boundary.now);
  const row = await findReservation(db, sessionId, cycleId);
  if (boundary.settle || (row && (boundary.reserve || boundary.ended))) {
    await settle(
      db,
      row ?? { session_id: sessionId, cycle_id: cycleId, day, call_tokens: 0, ...NOTHING },
      boundary.settle ?? null,
    );
  }
  if (!boundary.reserve) return 0;
  const { tokens, callTokens, rounds, limits } = boundary.reserve;
  const grantedMs = granted(boundary.reserve, await leftOf(db, { sessionId, day, limits }));
  await db.run(
    `INSERT INTO budget_reservations (session_id, cycle_id, day, tokens, ms, rounds, call_tokens)
     VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    sessionId,
    cycleId,
    day,
    tokens,
    grantedMs,
    rounds,
    callTokens,
  );
  return grantedMs;
}

function findReservation(
  db: Queries,
  sessionId: string,
  cycleId: string,
): Promise<ReservationRow | undefined> {
  return db.get<ReservationRow>(
    'SELECT * FROM budget_reservations WHERE session_id = $1 AND cycle_id = $2',
    sessionId,
    cycleId,
  );
}

/** Takes a reservation back and counts what the call has cost; by its estimate when that is not known. */
async function settle(db: Queries, row: ReservationRow, cost: Amount | null): Promise<void> {
  const { session_id: sessionId, cycle_id: cycleId, day } = row;
  await db.run('DELETE FROM budget_reservations WHERE session_id = $1 AND cycle_id = $2', sessionId, cycleId);
  const { tokens, ms, rounds } = costOf(row, cost);
  await db.run(
    `INSERT INTO session_spending AS s (session_id, day, tokens, ms, rounds) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (session_id, day) DO UPDATE SET tokens = s.tokens + excluded.tokens, ms = s.ms + excluded.ms,
       rounds = s.rounds + excluded.rounds`,
    sessionId,
    day,
    tokens,
    ms,
    rounds,
  );
  await db.run(
    `INSERT INTO day_spending AS d (day, slot, tokens, ms, rounds) VALUES ($1, pg_backend_pid() % 64, $2, $3, $4)
     ON CONFLICT (day, slot) DO UPDATE SET tokens = d.tokens + excluded.tokens, ms = d.ms + excluded.ms,
       rounds = d.rounds + excluded.rounds`,
    day,
    tokens,
    ms,
    rounds,
  );
}

async function leftOf(
  db: Queries,
  { sessionId, day, limits }: { sessionId: string; day: number; limits: Reservation['limits'] },
): Promise<Left> {
  const scopes = limitingScopes(limits);
  if (scopes.length === 0) return left(limits, () => ({ spent: NOTHING, reserved: NOTHING }));
  // The day's budget is that of all sessions: one reservation after the other. Only where it is limited.
  if (scopes.includes('day')) await db.run('SELECT pg_advisory_xact_lock($1, $2::integer)', DAY_LOCK, day);
  const used = await usedOf(db, sessionId, day);
  return left(limits, (scope) => used[scope]);
}

const SUMS = `coalesce(sum(tokens), 0)::bigint AS tokens, coalesce(sum(ms), 0)::bigint AS ms,
  coalesce(sum(rounds), 0)::bigint AS rounds`;

async function usedOf(db: Queries, sessionId: string, day: number): Promise<Used> {
  const rows = await db.all<Amount & { scope: BudgetScope; what: 'spent' | 'reserved' }>(
    `SELECT 'session' AS scope, 'spent' AS what, ${SUMS} FROM session_spending WHERE session_id = $1
     UNION ALL SELECT 'session_day', 'spent', ${SUMS} FROM session_spending WHERE session_id = $1 AND day = $2
     UNION ALL SELECT 'day', 'spent', ${SUMS} FROM day_spending WHERE day = $2
     UNION ALL SELECT 'session', 'reserved', ${SUMS} FROM budget_reservations WHERE session_id = $1
     UNION ALL SELECT 'session_day', 'reserved', ${SUMS} FROM budget_reservations WHERE session_id = $1 AND day = $2
     UNION ALL SELECT 'day', 'reserved', ${SUMS} FROM budget_reservations WHERE day = $2`,
    sessionId,
    day,
  );
  const of = (scope: BudgetScope, what: 'spent' | 'reserved'): Amount => {
    const { tokens, ms, rounds } = rows.find((row) => row.scope === scope && row.what === what) ?? NOTHING;
    return { tokens, ms, rounds };
  };
  const both = (scope: BudgetScope) => ({ spent: of(scope, 'spent'), reserved: of(scope, 'reserved') });
  return { session: both('session'), session_day: both('session_day'), day: both('day') };
}
