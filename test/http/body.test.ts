import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { CccError } from '../../src/base/ccc-error.ts';
import { parseJson, readJsonBody } from '../../src/http/body.ts';
import { validate } from '../../src/http/validate.ts';
import { listen } from './support.ts';

const LIMIT = 1_000;

/** A server that answers with what it read, or with the code of the error. */
function reader(): Promise<string> {
  return listen((req, res) => {
    readJsonBody(req, LIMIT).then(
      ({ raw, json }) => res.end(JSON.stringify({ raw: raw.toString('latin1'), json })),
      (error: unknown) => {
        req.resume();
        res.end(JSON.stringify({ code: (error as CccError).code, message: (error as CccError).message }));
      },
    );
  });
}

async function read(body: string | Uint8Array | ReadableStream, headers: Record<string, string> = {}) {
  const response = await fetch(await reader(), {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', ...headers },
    ...(body instanceof ReadableStream ? { duplex: 'half' as const } : {}),
  });
  return (await response.json()) as { raw?: string; json?: unknown; code?: string; message?: string };
}

describe('a JSON body', () => {
  it('comes with its bytes as they were', async () => {
    const text = '{ "a":1.0,\r\n"big":12345678901234567890 }';
    expect(await read(text)).toEqual({ raw: text, json: { a: 1, big: 12345678901234567000 } });
  });

  it('may be absent, which says nothing', async () => {
    expect(await read('')).toEqual({ raw: '', json: {} });
  });

  it.each(['{"a":', '{"a":1}}', "{'a':1}", 'NaN', '\u00a0{}x'])('%j is invalid_json', async (text) => {
    expect((await read(text)).code).toBe('invalid_json');
  });

  it('that is not UTF-8 is invalid_json', async () => {
    expect((await read(Buffer.from('{"a":"\xe9"}', 'latin1'))).code).toBe('invalid_json');
  });

  it('that is nested beyond reason is invalid_json, and brackets in its texts are not nesting', async () => {
    const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
    const parse = (text: string) => () => parseJson(Buffer.from(text));
    expect(parse(nested(500))).not.toThrow();
    expect(parse(nested(501))).toThrow(/nested/);
    expect(parse(nested(2_000_000))).toThrow(/nested/);
    const text = JSON.stringify(['\\', '"', '\\"[', '{'.repeat(1_000), 'é\\'.repeat(1_000)]);
    expect(parse(text)()).toEqual(JSON.parse(text));
    expect(parse('"'.repeat(3))).toThrow(/not valid JSON/);
  });

  it.each([
    ['text/plain', true],
    ['application/x-www-form-urlencoded', true],
    ['application/json; charset=latin1', true],
    ['application/jsonp', true],
    ['application/json; charset=UTF-8', false],
    ['application/merge-patch+json', false],
    ['APPLICATION/JSON', false],
  ])('sent as %s is refused: %s', async (type, refused) => {
    expect((await read('{}', { 'content-type': type })).code).toBe(
      refused ? 'unsupported_media_type' : undefined,
    );
  });

  it('that is compressed is refused', async () => {
    expect((await read('{}', { 'content-encoding': 'gzip' })).code).toBe('unsupported_media_type');
  });

  it('is too large past the limit, whether it announced its length or not', async () => {
    const text = JSON.stringify('x'.repeat(LIMIT - 2));
    expect((await read(text)).json).toBeTruthy();
    expect((await read(`${text} `)).code).toBe('payload_too_large');
    expect((await read(new Blob([text, ' ']).stream())).code).toBe('payload_too_large');
  });
});

describe('a validated value', () => {
  const schema = z.strictObject({ turns: z.array(z.object({ agent: z.enum(['wykeve', 'codey']) })).max(2) });
  const fault = (value: unknown, prefix = '') => {
    try {
      return validate(schema, value, prefix);
    } catch (error) {
      const { code, param, status } = error as CccError;
      return { code, param, status };
    }
  };

  it('is what the schema makes of it', () => {
    expect(fault({ turns: [{ agent: 'codey', more: 1 }] })).toEqual({ turns: [{ agent: 'codey' }] });
  });

  it.each([
    [{ turns: [{ agent: 'codey' }, { agent: 'eve' }] }, 'turns.1.agent'],
    [{ turns: 'none' }, 'turns'],
    [{ turns: [], surplus: 1 }, 'surplus'],
    [null, null],
  ])('names the field at fault: %j is %s', (value, param) => {
    expect(fault(value)).toEqual({ code: 'invalid_request', status: 400, param });
  });

  it('names it from where the value stands in the request', () => {
    expect(fault({ turns: 1 }, 'covenant')).toMatchObject({ param: 'covenant.turns' });
  });
});
