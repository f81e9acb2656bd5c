import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import type { Settings } from '../../config/schema.ts';
import type { MemoryDAL } from '../../store/memory-dal.ts';
import { TokenLedger } from './token-ledger.ts';

/** The ledger of all callers, with the limits of the settings. */
export function createTokenLedger(
  settings: Pick<Settings, 'CCC_API_KEYS' | 'CCC_TOKENS_PER_DAY'>,
  { dal, clock, logger }: { dal: Pick<MemoryDAL, 'budgets' | 'shared'>; clock: Clock; logger: Logger },
): TokenLedger {
  const limits = new Map<string, number>();
  for (const { name, tokensPerDay } of settings.CCC_API_KEYS) {
    if (tokensPerDay !== null) limits.set(`key ${name}`, tokensPerDay);
  }
  return new TokenLedger({
    store: dal.budgets,
    limits,
    defaultLimit: settings.CCC_TOKENS_PER_DAY,
    shared: dal.shared !== null,
    clock,
    logger,
  });
}
