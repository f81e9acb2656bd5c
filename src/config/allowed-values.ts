import { z } from 'zod';

export type AllowedValues = { oneOf: string[] } | { from: number; to: number };

/** What a setting may be, read from its check: some words, or a range of whole numbers. Null for any other text. */
export function allowedValues(schema: z.ZodType): AllowedValues | null {
  const shape = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  if (shape.enum) return { oneOf: shape.enum.map(String) };
  const { type, minimum, maximum } = shape;
  if (type !== 'integer' || minimum === undefined || maximum === undefined) return null;
  return { from: minimum, to: maximum };
}

/** To follow "must be": `a whole number from 0 to 65535`, `one of cycle, direct`. */
export function inWords(allowed: AllowedValues): string {
  return 'oneOf' in allowed
    ? `one of ${allowed.oneOf.join(', ')}`
    : `a whole number from ${String(allowed.from)} to ${String(allowed.to)}`;
}
