import { budgetLimits, serverBudgets } from '../../covenant/budgets.ts';
import { readPreferences } from '../../memory/preferences.ts';
import type { Amount, BudgetLimit } from '../../store/budget-store.ts';
import type { SessionRecord } from '../../store/records.ts';
import type { CyclesParts } from './parts.ts';

/** What a session's cycles may still take. Of the day of all sessions only what is left is told, not who spent it. */
export async function budgetOf({ dal, settings, clock }: CyclesParts, session: SessionRecord) {
  const { budget } = readPreferences(session.userPreferences);
  const limits = budgetLimits(serverBudgets(settings), budget);
  const now = await dal.budgets.standing(session.sessionId, clock.now());
  const own = (scope: 'session' | 'session_day') => ({
    limits: inSeconds(limits[scope] ?? UNLIMITED),
    spent: inSeconds(now[scope].spent),
    reserved: inSeconds(now[scope].reserved),
  });
  const day = limits.day ?? UNLIMITED;
  return {
    session: own('session'),
    session_day: own('session_day'),
    day: { limits: inSeconds(day), left: inSeconds(leftOf(day, now.day)) },
  };
}

const UNLIMITED: BudgetLimit = { tokens: null, ms: null, rounds: null };

function leftOf(limit: BudgetLimit, { spent, reserved }: { spent: Amount; reserved: Amount }): BudgetLimit {
  const left = (what: keyof Amount) =>
    limit[what] === null ? null : Math.max(0, limit[what] - spent[what] - reserved[what]);
  return { tokens: left('tokens'), ms: left('ms'), rounds: left('rounds') };
}

function inSeconds({ tokens, ms, rounds }: BudgetLimit) {
  return { tokens, seconds: ms === null ? null : ms / 1000, rounds };
}
