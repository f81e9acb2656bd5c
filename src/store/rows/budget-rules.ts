import { CccError } from '../../base/ccc-error.ts';
import {
  BUDGET_SCOPES,
  DAY_MS,
  type Amount,
  type BudgetLimits,
  type BudgetScope,
  type Reservation,
} from '../budget-store.ts';

export interface ReservationRow extends Amount {
  session_id: string;
  cycle_id: string;
  day: number;
  call_tokens: number;
}

export const NOTHING: Amount = { tokens: 0, ms: 0, rounds: 0 };

/** Days since 1970-01-01, UTC. */
export const dayOf = (now: number): number => Math.floor(now / DAY_MS);

/** What a call counts for: what it has cost, else its estimate. */
export function costOf(row: Pick<ReservationRow, 'call_tokens'>, cost: Amount | null): Amount {
  const spent = cost ?? { ...NOTHING, tokens: row.call_tokens };
  return { ...spent, ms: Math.round(spent.ms) };
}

/** What the limits leave, and which of them is the tightest on each. */
export type Left = Amount & { scopes: Partial<Record<keyof Amount, BudgetScope>> };

/** The scopes that limit anything. */
export function limitingScopes(limits: BudgetLimits): BudgetScope[] {
  return BUDGET_SCOPES.filter((scope) => {
    const limit = limits[scope];
    return limit && (limit.tokens ?? limit.ms ?? limit.rounds) !== null;
  });
}

/** What the tightest limit leaves, of tokens, time and rounds; Infinity where nothing limits. */
export function left(
  limits: BudgetLimits,
  used: (scope: BudgetScope) => { spent: Amount; reserved: Amount },
): Left {
  const rest: Left = { tokens: Infinity, ms: Infinity, rounds: Infinity, scopes: {} };
  for (const scope of limitingScopes(limits)) {
    const { spent, reserved } = used(scope);
    for (const what of ['tokens', 'ms', 'rounds'] as const) {
      const limit = limits[scope]?.[what] ?? null;
      const here = limit === null ? Infinity : limit - spent[what] - reserved[what];
      if (here >= rest[what]) continue;
      rest[what] = here;
      rest.scopes[what] = scope;
    }
  }
  return rest;
}

/**
 * The time that a reservation is given, in milliseconds: as much of what it asks for as there is.
 * @throws budget_exhausted when it does not fit; `param` is `budget.<scope>.<tokens | ms | rounds>`
 */
export function granted({ tokens, ms, rounds }: Reservation, rest: Left): number {
  const needed = { tokens, ms: 1, rounds };
  for (const what of ['tokens', 'ms', 'rounds'] as const) {
    if (needed[what] > rest[what]) throw exhausted(rest.scopes[what] ?? 'session', what);
  }
  return Math.min(ms, rest.ms);
}

/** As much of what is asked for as there is. */
export function asMuchAs<T extends Pick<Amount, 'tokens' | 'ms'>>(
  asked: T,
  rest: Left,
): { tokens: number; ms: number } {
  return {
    tokens: Math.max(0, Math.min(asked.tokens, rest.tokens)),
    ms: Math.max(0, Math.min(asked.ms, rest.ms)),
  };
}

const WHOSE = {
  session: 'of this session',
  session_day: 'of this session for today',
  day: 'of this server for today',
} as const;
const WHAT = { tokens: 'token', ms: 'time', rounds: 'round' } as const;

function exhausted(scope: BudgetScope, what: keyof Amount): CccError {
  return new CccError(
    'budget_exhausted',
    `The ${WHAT[what]} budget ${WHOSE[scope]} has no room for the next call.`,
    {
      param: `budget.${scope}.${what}`,
    },
  );
}
