import { describe, expect, it } from 'vitest';
import { maskValue, type MaskedValue } from '../../../src/memory/redaction/mask-values.ts';
import { analyse } from '../../../src/text/analyse.ts';
import { createMasker } from '../../../src/text/redaction/masker.ts';
import { fakeSecret, RANDOM_KEY } from '../../text/redaction/fake-secrets.ts';

const masker = createMasker();
const same = <T>(masked: MaskedValue<T> | null) => masked;
const github = fakeSecret('github-token');

describe('masking plain data', () => {
  it('reaches every text, at any depth, in names of fields too, and counts each text once', async () => {
    const value = [{ a: [{ b: `x ${github}` }], [github]: 1 }, `x ${github}`, { password: 'hunter2!' }];
    expect(await maskValue(masker, value, same)).toEqual({
      value: [
        { a: [{ b: 'x [masked: github-token]' }], '[masked: github-token]': 1 },
        'x [masked: github-token]',
        { password: '[masked: password]' },
      ],
      found: { 'github-token': 2, password: 1 },
    });
  });

  it('leaves what holds no secret as it is, at once', () => {
    const vector = new Float32Array([1]);
    const value = { a: ['nothing here', { b: null, c: 1.5, d: true }], vector };
    let told: unknown = 'not called';
    void maskValue(masker, value, (masked) => (told = masked));
    expect(told).toBeNull();
  });

  it('copies only what has to change', async () => {
    const clean = { deep: ['nothing'] };
    const masked = await maskValue(masker, { clean, dirty: github }, same);
    expect(masked?.value.clean).toBe(clean);
  });

  it('indexes what is stored, not what was said, and a turn tells what was masked in it', async () => {
    const content = `My key is ${github}, for the deployment.`;
    const turn = { turnId: 't', content, metadata: { api_key: RANDOM_KEY }, terms: analyse(content) };
    const masked = await maskValue(masker, turn, same);
    const stored = 'My key is [masked: github-token], for the deployment.';
    expect(masked?.value).toEqual({
      turnId: 't',
      content: stored,
      metadata: {
        api_key: '[masked: secret]',
        masked_secrets: { 'github-token': 1, secret: 1 },
      },
      terms: analyse(stored),
    });
    const row = { table: 'turns', row: { content, metadata: {} }, terms: analyse(content) };
    expect((await maskValue(masker, row, same))?.value).toMatchObject({
      row: { content: stored, metadata: { masked_secrets: { 'github-token': 1 } } },
      terms: analyse(stored),
    });
  });

  it('a name that every object has is a name like others', async () => {
    const value = JSON.parse(`{"__proto__": {"x": "${github}"}, "constructor": "${github}"}`) as object;
    const masked = await maskValue(masker, value, same);
    expect(JSON.stringify(masked?.value)).toBe(
      '{"__proto__":{"x":"[masked: github-token]"},"constructor":"[masked: github-token]"}',
    );
  });

  it('two keys of requests stay two', async () => {
    const other = fakeSecret('stripe-key');
    const keys = await Promise.all(
      [github, other, github].map(
        async (key) => (await maskValue(masker, { idempotency: { key } }, same))?.value.idempotency.key,
      ),
    );
    expect(keys[0]).toMatch(/^sha256:[\da-f]{64}$/);
    expect(keys[2]).toBe(keys[0]);
    expect(keys[1]).not.toBe(keys[0]);
  });
});
