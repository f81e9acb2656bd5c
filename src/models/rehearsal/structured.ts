type Schema = Record<string, unknown>;

/** How deep a schema is followed: one that refers to itself has no end. */
const DEEPEST = 12;

/**
 * A JSON value in the shape of a schema, with the answer in its first text field and nothing made up: other texts stay
 * empty, lists are empty unless they must not be, numbers are the schema's least, and what may be null is null.
 */
export function inShape(schema: unknown, answer: string): unknown {
  const root = isSchema(schema) ? schema : {};
  const rest = { answer: answer as string | null };
  return fill(root, root, rest, 0);
}

function fill(schema: Schema, root: Schema, rest: { answer: string | null }, depth: number): unknown {
  if (depth > DEEPEST) return null;
  const deeper = (inner: unknown) => fill(isSchema(inner) ? inner : {}, root, rest, depth + 1);
  if (typeof schema['$ref'] === 'string') return deeper(resolve(schema['$ref'], root));
  if ('const' in schema) return schema['const'];
  if (Array.isArray(schema['enum'])) return schema['enum'][0] as unknown;
  const choices = schema['anyOf'] ?? schema['oneOf'];
  if (Array.isArray(choices))
    return deeper(choices.find((choice) => rest.answer === null && isNull(choice)) ?? choices[0]);
  if (Array.isArray(schema['allOf'])) return deeper(Object.assign({}, ...(schema['allOf'] as object[])));
  const types = [schema['type']].flat();
  switch (types[0] ?? (isSchema(schema['properties']) ? 'object' : 'string')) {
    case 'object':
      return Object.fromEntries(
        Object.entries(isSchema(schema['properties']) ? schema['properties'] : {}).map(([name, inner]) => [
          name,
          deeper(inner),
        ]),
      );
    case 'array':
      return Array.from({ length: least(schema['minItems'], 0) }, () => deeper(schema['items']));
    case 'number':
    case 'integer':
      return least(schema['minimum'], 0);
    case 'boolean':
      return false;
    case 'null':
      return null;
    default: {
      if (rest.answer === null) return types.includes('null') ? null : '';
      const text = rest.answer;
      rest.answer = null;
      return text;
    }
  }
}

function resolve(pointer: string, root: Schema): unknown {
  const path = pointer.replace(/^#\/?/, '').split('/').filter(Boolean);
  return path.reduce<unknown>(
    (at, name) => (isSchema(at) ? at[name.replaceAll('~1', '/').replaceAll('~0', '~')] : null),
    root,
  );
}

function isNull(schema: unknown): boolean {
  return isSchema(schema) && schema['type'] === 'null';
}

function least(value: unknown, otherwise: number): number {
  return typeof value === 'number' ? value : otherwise;
}

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
