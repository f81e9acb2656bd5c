import { CccError } from '../base/ccc-error.ts';
import { ERROR_CODES } from '../base/error-codes.ts';
import type { Amount, BudgetLimit, BudgetLimits } from '../store/budget-store.ts';
import type { BudgetPreference } from './cycle-service.ts';
import type { MachineEvent, UpstreamFault } from './machine/state.ts';

/** The server's own limits: for each session, and for all of them together in a day. */
export interface ServerBudgets {
  session: BudgetLimit;
  day: BudgetLimit;
}

const DAY_MS = 86_400_000;

export function serverBudgets(settings: {
  CCC_SESSION_MAX_TOKENS?: number | undefined;
  CCC_SESSION_MAX_SECONDS?: number | undefined;
  CCC_SESSION_MAX_ROUNDS?: number | undefined;
  CCC_DAY_MAX_TOKENS?: number | undefined;
  CCC_DAY_MAX_SECONDS?: number | undefined;
  CCC_DAY_MAX_ROUNDS?: number | undefined;
}): ServerBudgets {
  const limit = (tokens?: number, seconds?: number, rounds?: number): BudgetLimit => ({
    tokens: tokens ?? null,
    ms: inMs(seconds),
    rounds: rounds ?? null,
  });
  return {
    session: limit(
      settings.CCC_SESSION_MAX_TOKENS,
      settings.CCC_SESSION_MAX_SECONDS,
      settings.CCC_SESSION_MAX_ROUNDS,
    ),
    day: limit(settings.CCC_DAY_MAX_TOKENS, settings.CCC_DAY_MAX_SECONDS, settings.CCC_DAY_MAX_ROUNDS),
  };
}

/** What limits a session's calls. The session may ask for less than the server allows, and not for more. */
export function budgetLimits(
  server: ServerBudgets | undefined,
  preferred: BudgetPreference | null | undefined,
): BudgetLimits {
  const {
    tokens,
    seconds,
    rounds,
    tokens_per_day: tokensADay,
    seconds_per_day: secondsADay,
  } = preferred ?? {};
  return {
    session: {
      tokens: tighter(server?.session.tokens, tokens),
      ms: tighter(server?.session.ms, inMs(seconds)),
      rounds: tighter(server?.session.rounds, rounds),
    },
    session_day: {
      tokens: tokensADay ?? null,
      ms: inMs(secondsADay),
      rounds: preferred?.rounds_per_day ?? null,
    },
    ...(server ? { day: server.day } : {}),
  };
}

export function isLimited(limits: BudgetLimits): boolean {
  return Object.values(limits).some(({ tokens, ms, rounds }) => (tokens ?? ms ?? rounds) !== null);
}

const ENDS = { tokens: 'token_budget', ms: 'time_budget', rounds: 'max_rounds' } as const;

/** The event of a call that a budget had no room for; null when the error says something else. */
export function overBudget(
  error: unknown,
  call: Extract<MachineEvent, { type: 'over_budget' }>['call'],
  now: number,
): MachineEvent | null {
  if (!(error instanceof CccError) || error.code !== 'budget_exhausted') return null;
  const [, scope, what] = (error.param ?? '').split('.');
  return {
    type: 'over_budget',
    call,
    why: ENDS[what as keyof Amount],
    fault: faultOf(error, scope === 'session' ? null : DAY_MS - (now % DAY_MS)),
  };
}

/** For a client that has got nothing. Trying again at once is of no use, and the official SDKs are told so. */
function faultOf(error: CccError, freeInMs: number | null): UpstreamFault {
  return {
    status: ERROR_CODES.budget_exhausted.status,
    error: { ...error.toBody().error },
    headers: {
      'x-should-retry': 'false',
      ...(freeInMs === null ? {} : { 'retry-after': String(Math.ceil(freeInMs / 1000)) }),
    },
  };
}

function inMs(seconds: number | null | undefined): number | null {
  return seconds === null || seconds === undefined ? null : Math.round(seconds * 1000);
}

function tighter(a: number | null | undefined, b: number | null | undefined): number | null {
  const limits = [a, b].filter((limit) => typeof limit === 'number');
  return limits.length === 0 ? null : Math.min(...limits);
}
