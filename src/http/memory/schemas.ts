import { z } from 'zod';
import { AGENTS, TURN_KINDS, type JsonObject } from '../../store/records.ts';

/** Any JSON object, as a person's preferences or metadata are. */
const jsonObject = z.record(z.string(), z.json()) as z.ZodType<JsonObject>;

/** ISO-8601 with an offset or `Z`, as milliseconds since the epoch. */
export const time = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));

export const agent = z.enum(AGENTS);

export const createSession = z.strictObject({
  user_preferences: jsonObject.optional(),
  initial_context: jsonObject.nullish(),
});

export const putPreferences = z.strictObject({ user_preferences: jsonObject });

export const createConversation = z.strictObject({
  session_id: z.string().min(1),
  directive: z.string().trim().min(1),
});

const turn = z.strictObject({
  agent,
  content: z.string().min(1),
  kind: z.enum(TURN_KINDS).optional(),
  speaker: z.string().trim().min(1).max(200).nullish(),
  timestamp: time.optional(),
  metadata: jsonObject.optional(),
});
export type TurnBody = z.output<typeof turn>;

/** Most turns in one request: more than that holds other writers up. */
const LARGEST_BATCH = 1_000;

export const oneTurn = turn;
export const manyTurns = z.strictObject({ turns: z.array(turn).min(1).max(LARGEST_BATCH) });

export const flag = z.enum(['true', 'false']).transform((text) => text === 'true');

export const page = z.object({
  limit: z.coerce.number().int().min(1).max(100).default(20),
  cursor: z.string().min(1).nullable().default(null),
});

/** Sessions can be found by a part of their name. */
export const sessionPage = page.extend({ name: z.string().trim().max(200).default('') });

export const turnPage = z.object({
  limit: z.coerce.number().int().min(1).max(1_000).default(1_000),
  from: z.coerce.number().int().min(1).default(1),
});

export const contextQuery = z.object({
  directive: z.string().trim().min(1),
  conversation_id: z.string().min(1).nullable().default(null),
  max_turns: z.coerce.number().int().min(0).max(200).optional(),
  max_tokens: z.coerce.number().int().min(0).max(200_000).optional(),
  include_agent_state: flag.default(true),
  include_causal: flag.default(true),
});

export const search = z.strictObject({
  query: z.string().trim().min(1),
  max_results: z.number().int().min(1).max(200).default(10),
  relevance_threshold: z.number().min(0).max(1).default(0),
  time_range: z
    .strictObject({ from: time.optional(), to: time.optional() })
    .refine(({ from, to }) => from === undefined || to === undefined || from <= to, {
      message: 'must not be before `from`',
      path: ['to'],
    })
    .nullable()
    .default(null),
});

export const summaryScope = z.object({ conversation_id: z.string().min(1).nullable().default(null) });
/** In characters: far more than a prompt has room for. */
const LONGEST_SUMMARY = 20_000;

export const putSummary = z.strictObject({
  summary: z.string().trim().min(1).max(LONGEST_SUMMARY),
  conversation_id: z.string().min(1).nullable().default(null),
});

export const putState = z.strictObject({
  state: jsonObject,
  expected_version: z.number().int().min(0).optional(),
});
