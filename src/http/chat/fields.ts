import { z } from 'zod';
import { agentModels } from '../agent-models.ts';
import { validate } from '../validate.ts';

const memoryOptions = z.strictObject({
  use_context: z.boolean().optional(),
  max_context_turns: z.int().min(0).max(200).optional(),
  max_context_tokens: z.int().min(0).max(200_000).optional(),
  include_agent_state: z.boolean().optional(),
  include_causal: z.boolean().optional(),
  auto_store_response: z.boolean().optional(),
});

const covenant = z.strictObject({
  mode: z.enum(['cycle', 'direct']).optional(),
  max_rounds: z.int().min(0).max(10).optional(),
  max_total_tokens: z.int().min(1).nullish(),
  max_seconds: z.number().positive().max(86_400).nullish(),
  criteria: z.array(z.string().trim().min(1).max(2_000)).max(50).optional(),
  decide_before_delivery: z.boolean().optional(),
  models: agentModels.nullish(),
  narration: z.enum(['off', 'reasoning', 'full']).optional(),
});

const id = z.string().min(1).max(200);

/** The members of a request body that are CCC's own. All others are the upstream's, and are not looked at. */
export const fields = z.object({
  session_id: id.nullish(),
  conversation_id: id.nullish(),
  memory_options: memoryOptions.nullish(),
  covenant: covenant.nullish(),
});

export type ChatFields = z.output<typeof fields>;
export type MemoryOptions = z.output<typeof memoryOptions>;
export type CovenantOptions = z.output<typeof covenant>;

/** True for a member that must not reach the upstream. */
export function isOwnField(key: string): boolean {
  return Object.hasOwn(fields.shape, key);
}

/** Reads CCC's fields out of a body. @throws invalid_request with `param` naming the field */
export function readFields(body: Record<string, unknown>): ChatFields {
  return validate(fields, body);
}
