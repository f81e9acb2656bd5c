/** What was spent, or is set aside: tokens, working time in milliseconds, and rounds (drafts). */
export interface Amount {
  tokens: number;
  ms: number;
  rounds: number;
}

/** The most that may be spent; null where there is no limit. */
export type BudgetLimit = { [K in keyof Amount]: number | null };

/** What a limit is on: a session as a whole, a session in a day, all sessions together in a day. Days are UTC. */
export const BUDGET_SCOPES = ['session', 'session_day', 'day'] as const;
export type BudgetScope = (typeof BUDGET_SCOPES)[number];
export type BudgetLimits = Partial<Record<BudgetScope, BudgetLimit>>;

/** Set aside before a call, in the transaction that writes the call's row. */
export interface Reservation {
  /** The call's tokens and those of what has to follow it; less is refused. */
  tokens: number;
  /** Of the tokens, the call's own. */
  callTokens: number;
  /** Time that is asked for; as much of it as there is left is given, none is refused. */
  ms: number;
  rounds: number;
  limits: BudgetLimits;
}

export const DAY_MS = 86_400_000;

/** How a caller begins that is a session, by its token; the rest is the session's id. */
export const SESSION_CALLER = 'session ';
/** Days for which it is kept what callers have spent: a clock that is a little late still finds its day. */
export const CALLER_DAYS = 2;

/** Tokens that callers (a key, a session by its token, an address) have spent in a day (UTC). */
export interface CallerSpending {
  /** Adds what was spent at `at`. Resolves with what each of them has then spent that day, on all servers, in the same order. */
  spend(entries: { caller: string; tokens: number; at: number }[]): Promise<number[]>;
  /** What a caller has spent on the day that `at` is in. */
  spentBy(caller: string, at: number): Promise<number>;
}

/** What cycles have spent, and what is set aside for the calls they are making; and what callers have spent. */
export interface BudgetStore extends CallerSpending {
  /** Adds to what is set aside for a cycle's call, as far as there is room. Resolves with what was added. */
  extend(input: {
    sessionId: string;
    cycleId: string;
    tokens: number;
    ms: number;
    limits: BudgetLimits;
  }): Promise<{ tokens: number; ms: number }>;
  /** Spent and set aside, of a session and the day that `now` is in. */
  standing(sessionId: string, now: number): Promise<Record<BudgetScope, { spent: Amount; reserved: Amount }>>;
  /**
   * Counts calls that a process had open when it ended as spent, at their estimate: nobody can say what they have cost.
   * Called when no cycle runs. Returns how many there were.
   */
  settleInterrupted(): Promise<number>;
}
