import { readPreferences } from '../memory/preferences.ts';
import type { JsonObject } from '../store/records.ts';
import type { CycleOptions } from './cycle-service.ts';

/** What a request asks of its cycle. */
export interface AskedOptions {
  max_rounds?: number | undefined;
  max_total_tokens?: number | null | undefined;
  max_seconds?: number | null | undefined;
  criteria?: string[] | undefined;
  decide_before_delivery?: boolean | undefined;
  models?: { beatrice?: string | undefined; codey?: string | undefined } | null | undefined;
}

/** A cycle's options: what the request says, else what the session prefers, else what the server is set to. */
export function chooseOptions(
  asked: AskedOptions,
  userPreferences: JsonObject,
  settings: { CCC_MAX_ROUNDS: number },
): CycleOptions {
  const preferred = readPreferences(userPreferences);
  const beatrice = asked.models?.beatrice ?? preferred.models?.beatrice;
  const codey = asked.models?.codey ?? preferred.models?.codey;
  return {
    maxRounds: asked.max_rounds ?? preferred.max_rounds ?? settings.CCC_MAX_ROUNDS,
    maxTotalTokens: asked.max_total_tokens ?? null,
    maxSeconds: asked.max_seconds ?? null,
    criteria: asked.criteria ?? [],
    decideFirst: asked.decide_before_delivery ?? preferred.decide_before_delivery ?? false,
    budget: preferred.budget ?? null,
    models: { ...(beatrice ? { beatrice } : {}), ...(codey ? { codey } : {}) },
  };
}
