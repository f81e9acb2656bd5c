import { z } from 'zod';
import { CccError } from '../base/ccc-error.ts';
import type { JsonObject } from '../store/records.ts';

const model = z.string().trim().min(1).max(200);

const limit = z.int().min(0).nullish();

/** Preferences that mean something to this server. */
const known = z.object({
  /** How a chat of the session is answered when the request does not say. */
  covenant_mode: z.enum(['cycle', 'direct']).nullish(),
  /** Most revisions in a cycle. */
  max_rounds: z.int().min(0).max(10).nullish(),
  /** True: nothing is delivered before the person has decided on it. */
  decide_before_delivery: z.boolean().nullish(),
  /** Which model speaks for an agent. */
  models: z.looseObject({ beatrice: model.nullish(), codey: model.nullish() }).nullish(),
  /** The most that the cycles of the session may take, in all and in a day; less than the server's limits, never more. */
  budget: z
    .strictObject({
      tokens: limit,
      seconds: limit,
      rounds: limit,
      tokens_per_day: limit,
      seconds_per_day: limit,
      rounds_per_day: limit,
    })
    .nullish(),
  /** What is older than so many days is removed. */
  memory_retention_days: z.int().min(1).max(36_500).nullish(),
  /** What the person calls the session. */
  name: z.string().max(200).nullish(),
});

export type Preferences = z.output<typeof known>;

/** The preferences that have a meaning here. Those of a session that was brought in may be wrong: they then say nothing. */
export function readPreferences(preferences: JsonObject): Preferences {
  return known.safeParse(preferences).data ?? {};
}

/** Checks the preferences that have a meaning here; all others are kept as they are. @throws invalid_request */
export function checkPreferences(preferences: JsonObject): JsonObject {
  const result = known.safeParse(preferences);
  if (result.success) return preferences;
  const [issue] = result.error.issues;
  const param = ['user_preferences', ...(issue?.path ?? [])].map(String).join('.');
  throw new CccError('invalid_request', `${param}: ${issue?.message ?? ''}`, { param });
}
