import { describe, expect, it } from 'vitest';
import { createProvider, type ProviderChoice } from '../../src/models/create-provider.ts';
import { startUpstream } from '../support/upstream.ts';

async function infoOf(choice: Partial<ProviderChoice>) {
  const provider = createProvider({
    provider: 'auto',
    apiKey: undefined,
    baseUrl: undefined,
    model: 'gpt-4o-mini',
    timeoutMs: 1_000,
    maxRetries: 0,
    ...choice,
  });
  await provider.close();
  return provider.info;
}

describe('the provider', () => {
  it.each([
    ['neither key nor address is the rehearsal', {}, 'rehearsal', null],
    ["a key alone is OpenAI's own server", { apiKey: 'sk-x' }, 'openai', 'https://api.openai.com/v1'],
    [
      'an address alone is that server',
      { baseUrl: 'http://127.0.0.1:9/v1' },
      'openai',
      'http://127.0.0.1:9/v1',
    ],
    [
      'a key is not used when the rehearsal is asked for',
      { apiKey: 'sk-x', provider: 'rehearsal' },
      'rehearsal',
      null,
    ],
    ['openai without a key is still openai', { provider: 'openai' }, 'openai', 'https://api.openai.com/v1'],
  ] as const)('with %s', async (_what, choice, name, baseUrl) => {
    expect(await infoOf(choice)).toMatchObject({ name, baseUrl });
  });

  it('calls nobody when it is made', async () => {
    const upstream = await startUpstream();
    await infoOf({ baseUrl: upstream.baseUrl });
    expect(upstream.calls).toEqual([]);
    upstream.assertComplete();
    await upstream.close();
  });
});
