import type { Random } from './random.ts';

/** Texts that have broken servers before. */
const TEXTS: readonly ((random: Random) => string)[] = [
  () => '',
  () => ' ',
  () => '\u0000',
  () => 'a\u0000b',
  () => '\ud800',
  () => '\udfff\ud800',
  () => '\ufeff\u202e\u200b',
  () => '👩‍👩‍👧‍👦'.repeat(50),
  () => 'e\u0301'.repeat(200),
  () => '漢字'.repeat(500),
  () => "'; DROP TABLE turns; --",
  () => '" OR 1=1 --',
  () => '%s%n%x',
  () => '${7*7}{{7*7}}',
  () => '../../../etc/passwd',
  () => '<script>alert(1)</script>',
  () => '<|im_start|>system',
  () => '__proto__',
  () => 'constructor',
  () => 'null',
  () => 'NaN',
  () => '-1',
  () => '1e309',
  () => '2026-02-30T25:61:61Z',
  () => '9999-12-31T23:59:59.999Z',
  () => '-271821-04-20T00:00:00Z',
  () => 'why did the roof leak last week in March?',
  () => '(((((((((((((((((((((((((((((',
  () => '*'.repeat(300),
  () => '"'.repeat(300),
  (random) => 'x'.repeat(random.int(3_000)),
  (random) => (random.chance(0.02) ? 'long '.repeat(40_000) : 'word '.repeat(random.int(300))),
  (random) => String.fromCharCode(...Array.from({ length: 1 + random.int(40) }, () => random.int(65_536))),
];

export function text(random: Random): string {
  return random.pick(TEXTS)(random);
}

const NUMBERS = [
  0,
  -0,
  1,
  -1,
  0.5,
  1.0000001,
  2 ** 31,
  2 ** 53,
  -(2 ** 53),
  1e300,
  -1e300,
  1e-300,
  255,
  65_536,
];

/** Any JSON value. */
export function anything(random: Random, depth = 0): unknown {
  const kind = random.int(depth > 3 ? 5 : 8);
  if (kind === 0) return null;
  if (kind === 1) return random.chance(0.5);
  if (kind === 2) return random.pick(NUMBERS);
  if (kind <= 4) return text(random);
  if (kind === 5) return Array.from({ length: random.int(5) }, () => anything(random, depth + 1));
  if (kind === 6) return deep(random);
  return Object.fromEntries(
    Array.from({ length: random.int(5) }, () => [
      random.pick([
        'a',
        'role',
        'content',
        '__proto__',
        'constructor',
        'toString',
        '',
        'session_id',
        text(random),
      ]),
      anything(random, depth + 1),
    ]),
  );
}

function deep(random: Random): unknown {
  const depth = random.chance(0.05) ? 3_000 : random.int(40);
  let value: unknown = 1;
  for (let i = 0; i < depth; i += 1) value = i % 2 === 0 ? [value] : { a: value };
  return value;
}

type Schema = Record<string, unknown>;

/** A value as a JSON Schema (what zod makes of its own) asks for it, mostly. */
export function fromSchema(schema: unknown, random: Random, ids: () => string): unknown {
  if (typeof schema !== 'object' || schema === null) return anything(random);
  const { type, properties, items, enum: choices, anyOf, const: only } = schema as Schema;
  if (only !== undefined) return only;
  if (Array.isArray(choices)) return random.pick(choices) as unknown;
  if (Array.isArray(anyOf)) return fromSchema(random.pick(anyOf), random, ids);
  if (type === 'object') {
    const required = new Set((schema as { required?: string[] }).required);
    return Object.fromEntries(
      Object.entries((properties ?? {}) as Schema)
        .filter(([name]) => random.chance(required.has(name) ? 0.97 : 0.4))
        .map(([name, inner]) => [name, name.endsWith('_id') ? ids() : fromSchema(inner, random, ids)]),
    );
  }
  if (type === 'array')
    return Array.from({ length: 1 + random.int(3) }, () => fromSchema(items, random, ids));
  if (type === 'boolean') return random.chance(0.5);
  if (type === 'integer' || type === 'number') return numberFrom(schema as Schema, random);
  if (type === 'string') return stringFrom(schema as Schema, random);
  return anything(random);
}

function numberFrom({ type, minimum, maximum }: Schema, random: Random): number {
  const low = typeof minimum === 'number' ? minimum : 0;
  const high = typeof maximum === 'number' ? Math.min(maximum, low + 1_000) : low + 1_000;
  const value = low + random.next() * (high - low);
  return type === 'integer' ? Math.floor(value) : value;
}

function stringFrom({ format }: Schema, random: Random): string {
  if (format === 'date-time') return new Date(random.int(2 ** 31) * 1_000).toISOString();
  return random.pick([
    'The shed is green.',
    'because it rained, the roof leaked',
    'ana',
    'codey',
    'Lyon',
    text(random),
  ]);
}

/** The value with something wrong in it, anywhere. */
export function mutated(value: unknown, random: Random): unknown {
  if (Array.isArray(value) && value.length > 0 && random.chance(0.8)) {
    const at = random.int(value.length);
    if (random.chance(0.1))
      return Array.from({ length: random.pick([0, 60, 2_000]) }, () => value[at] as unknown);
    return value.map((item: unknown, index) => (index === at ? mutated(item, random) : item));
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value) && random.chance(0.85)) {
    const fields = value as Record<string, unknown>;
    const names = Object.keys(fields);
    const name = random.pick(names.length > 0 ? names : ['a']);
    if (random.chance(0.15)) {
      const { [name]: _gone, ...rest } = fields;
      return rest;
    }
    if (random.chance(0.15))
      return {
        ...fields,
        [random.pick(['__proto__', 'constructor', 'extra', text(random)])]: anything(random),
      };
    return { ...fields, [name]: mutated(fields[name], random) };
  }
  return anything(random);
}

/** A text with bytes wrong in it: cut off, doubled, flipped, not UTF-8. */
export function broken(bytes: Buffer, random: Random): Buffer {
  const at = random.int(bytes.length + 1);
  switch (random.int(6)) {
    case 0:
      return bytes.subarray(0, at);
    case 1:
      return Buffer.concat([bytes, bytes]);
    case 2:
      return Buffer.concat([
        bytes.subarray(0, at),
        Buffer.from([0xff, 0xfe, 0x80, 0xc0]),
        bytes.subarray(at),
      ]);
    case 3:
      return Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), bytes]);
    case 4:
      return Buffer.from([...bytes].map((byte) => (random.chance(0.02) ? random.int(256) : byte)));
    default:
      return Buffer.concat([bytes.subarray(0, at), Buffer.from('{"a":1,"a":2,'), bytes.subarray(at)]);
  }
}
