import { z } from 'zod';
import { RELATIONS } from '../../store/causal-store.ts';

/** ISO-8601 with an offset or `Z`, as milliseconds since the epoch. */
const time = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));

/** An event is a sentence or two; more than that is a turn. */
const text = z.string().trim().min(1).max(2_000);
const actor = z.string().trim().min(1).max(200).nullable();

const event = z.strictObject({
  text,
  actor: actor.optional(),
  happened_at: time.optional(),
  conversation_id: z.string().min(1).nullish(),
  source_turn_id: z.string().min(1).nullish(),
});
export type EventBody = z.output<typeof event>;

/** Most events or links in one request: more than that holds other writers up. */
const LARGEST_BATCH = 1_000;

export const oneEvent = event;
export const manyEvents = z.strictObject({ events: z.array(event).min(1).max(LARGEST_BATCH) });

const changes = <T extends z.ZodRawShape>(shape: T) =>
  z.strictObject(shape).refine((body) => Object.keys(body).length > 0, 'there is nothing to change');

export const changeEvent = changes({
  text: text.optional(),
  actor: actor.optional(),
  happened_at: time.optional(),
});

const relation = z.enum(RELATIONS);
const confidence = z.number().min(0).max(1);
const explanation = z.string().trim().max(1_000);

const link = z.strictObject({
  cause_id: z.string().min(1),
  effect_id: z.string().min(1),
  relation,
  confidence: confidence.optional(),
  explanation: explanation.optional(),
});
export type LinkBody = z.output<typeof link>;

export const oneLink = link;
export const manyLinks = z.strictObject({ links: z.array(link).min(1).max(LARGEST_BATCH) });

export const changeLink = changes({
  relation: relation.optional(),
  confidence: confidence.optional(),
  explanation: explanation.optional(),
});

export const narrativeQuery = z.object({
  query: z.string().trim().min(1),
  max_tokens: z.coerce.number().int().min(1).max(20_000).default(600),
});

export const timelineQuery = z.object({
  query: z.string().trim().default(''),
  limit: z.coerce.number().int().min(1).max(500).default(50),
});

export const graphQuery = z.object({
  around: z.string().min(1).nullable().default(null),
  limit: z.coerce.number().int().min(1).max(2_000).default(200),
  cursor: z.string().min(1).nullable().default(null),
});
