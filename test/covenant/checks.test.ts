import { describe, expect, it } from 'vitest';
import { runChecks } from '../../src/covenant/checks/run-checks.ts';

const check = (text: string, format?: object, finishReason = 'stop') =>
  runChecks(
    { text, finishReason },
    { request: { model: 'm', messages: [], ...(format ? { response_format: format } : {}) } },
  );
/** Names of the checks that were not passed, with a question mark when they are only told. */
const failed = (...args: Parameters<typeof check>) =>
  check(...args)
    .filter(({ passed }) => !passed)
    .map(({ name, required }) => (required === false ? `${name}?` : name));
const schemaFormat = (schema: unknown) => ({ type: 'json_schema', json_schema: { name: 's', schema } });

describe('what a program can say about a draft', () => {
  it('has text', () => {
    expect(failed('The Rhine.')).toEqual([]);
    expect(failed(' \n')).toEqual(['not_empty']);
  });

  it('a limit that the client has set is its wish: the reviewer is told, and no more', () => {
    expect(failed('The Rhi', undefined, 'length')).toEqual(['finished?']);
  });

  it.each([
    ['{"a":1}', []],
    ['Sure! {"a":1}', ['valid_json']],
    ['```json\n{"a":1}\n```', ['valid_json']],
    ['{"a":1', ['valid_json']],
    ['[1]', ['json_object']],
    ['null', ['json_object']],
  ])('json_object: %s', (text, names) => {
    expect(failed(text, { type: 'json_object' })).toEqual(names);
  });

  const rivers = {
    type: 'object',
    properties: { rivers: { type: 'array', items: { $ref: '#/$defs/name' }, minItems: 2 } },
    required: ['rivers'],
    additionalProperties: false,
    $defs: { name: { type: 'string', enum: ['Rhine', 'Rhône'] } },
  };
  it.each([
    ['{"rivers":["Rhine","Rhône"]}', ''],
    ['{"rivers":["Rhine"]}', '/rivers must NOT have fewer than 2 items.'],
    ['{"rivers":["Rhine","Po"]}', '/rivers/1 must be equal to one of the allowed values: Rhine, Rhône.'],
    ['{"rivers":["Rhine","Rhône"],"x":1}', 'the answer must NOT have additional properties: x.'],
    ['{}', "the answer must have required property 'rivers'."],
    ['[]', 'the answer must be object.'],
  ])('json_schema: %s', (text, detail) => {
    const found = check(text, schemaFormat(rivers)).find(({ name }) => name === 'json_schema');
    expect([found?.passed, found?.required]).toEqual([detail === '', true]);
    expect(found?.detail).toBe(detail === '' ? 'It fits the schema.' : detail);
  });

  it('names a few problems, not all of a hundred', () => {
    const many = JSON.stringify({ rivers: Array.from({ length: 100 }, () => 'Po') });
    const { detail = '' } =
      check(many, schemaFormat(rivers)).find(({ name }) => name === 'json_schema') ?? {};
    expect(detail.split(';')).toHaveLength(6);
    expect(detail).toMatch(/and 95 more\.$/);
  });

  it.each([
    ['no schema', undefined],
    ['a schema that is none', { type: 'nonsense' }],
    ['one that points elsewhere: nothing is fetched', { $ref: 'http://127.0.0.1:9/schema' }],
  ])('uses what it can of %s', (_what, schema) => {
    expect(failed('{"a":1}', schemaFormat(schema))).toEqual([]);
    expect(failed('{"a":', schemaFormat(schema))).toEqual(['valid_json']);
  });

  it('is not held up by a pattern that would run for years', () => {
    const evil = { type: 'object', properties: { a: { type: 'string', pattern: '^(a+)+$' } } };
    const before = performance.now();
    expect(failed(JSON.stringify({ a: `${'a'.repeat(60)}!` }), schemaFormat(evil))).toEqual([]);
    expect(performance.now() - before).toBeLessThan(1_000);
  });

  it('tells of JSON in a code block that does not parse', () => {
    expect(failed('So:\n```json\n{"a":1}\n```\nAnd:\n```json\n{"a":}\n```\n')).toEqual(['code_block?']);
    expect(failed('```python\n{a:\n```')).toEqual([]);
  });
});
