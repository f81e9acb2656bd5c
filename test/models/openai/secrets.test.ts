import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createOpenAiProvider } from '../../../src/models/openai/openai-provider.ts';
import { keySecret, longSecret, masked } from '../../../src/models/openai/secrets.ts';
import { upstreamAddress } from '../../../src/models/openai/upstream-address.ts';
import type { ChatProvider } from '../../../src/models/provider.ts';
import { failure, rawBytes, startUpstream, type Upstream } from '../../support/upstream.ts';

const { signal } = new AbortController();
const maskedBy = (key: string, text: string) =>
  masked(
    text,
    [keySecret(key)].filter((one) => one !== null),
  );

describe('a secret in a text', () => {
  it.each([
    ['sk-wrong', 'Wrong key: sk-wrong.', 'Wrong key: ********.'],
    ['sk-wrong', 'sk-wrong', '********'],
    ['sk-wrong', '"Bearer sk-wrong", again key=sk-wrong', '"Bearer ********", again key=********'],
    ['sk-x', 'Wrong key: “sk-x”', 'Wrong key: “****”'],
    ['1234', 'Wrong key: 1234, of 12345 and a1234', 'Wrong key: ****, of 12345 and a1234'],
    ['sk-wrong', 'Not asksk-wrong, sk-wrongly', 'Not asksk-wrong, sk-wrongly'],
    ['lm-studio', 'Is lm-studio up?', 'Is ********* up?'],
    // A long one is no part of words: it is masked wherever it is.
    ['sk-0123456789', 'asksk-0123456789abc', 'ask*************abc'],
    // What stands for no key is none.
    ['ollama', 'Try: ollama pull m', 'Try: ollama pull m'],
    ['none', 'none of them', 'none of them'],
    ['a1', 'a1 a1', 'a1 a1'],
  ])('%j in %j becomes %j', (key, text, without) => {
    expect(maskedBy(key, text)).toBe(without);
  });

  it.each(['\\n', '\\t', '\\"', '\\u0027', '\\u0022', '\\u003c', '%20'])(
    'is found behind %s, as JSON and addresses write what a letter cannot stand beside',
    (escape) => {
      expect(maskedBy('sk-wrong', `{"message":"Key:${escape}sk-wrong${escape}"}`)).toBe(
        `{"message":"Key:${escape}********${escape}"}`,
      );
    },
  );

  it('may be a password of the address; a value of its query is one when it is long', () => {
    const { secrets } = upstreamAddress(
      'http://me:pass-1@up/v1?version=2024-02-15&key=0123456789abc',
      undefined,
    );
    const basic = Buffer.from('me:pass-1').toString('base64');
    expect(secrets.map(({ bytes }) => bytes.toString())).toEqual(['0123456789abc', basic, 'pass-1']);
    expect(longSecret('2024-02-15')).toBeNull();
  });
});

describe('a short key that the upstream quotes', () => {
  const KEY = 'sk-wrong';
  let upstream: Upstream;
  let provider: ChatProvider;
  beforeEach(async () => {
    upstream = await startUpstream();
    provider = createOpenAiProvider({
      baseUrl: upstream.baseUrl,
      apiKey: KEY,
      model: 'm',
      timeoutMs: 5_000,
      maxRetries: 0,
    });
  });
  afterEach(async () => {
    await provider.close();
    await upstream.close();
  });

  const passed = async (method: string, path: string) => {
    const body = method === 'GET' ? null : Buffer.from('{}');
    const answer = await provider.forward({ method, path, headers: {}, body }, signal);
    return Buffer.concat((await answer.body.toArray()) as Buffer[]).toString();
  };

  it('does not come back, in calls of CCC and in what is passed through', async () => {
    upstream.on(null, failure(401, { message: `Incorrect API key provided: ${KEY}. See sk-wrongs.` }));
    const without = 'Incorrect API key provided: ********. See sk-wrongs.';
    await expect(provider.chat({ model: 'm', messages: [] }, { signal })).rejects.toThrow(without);
    for (const [method, path] of [
      ['POST', '/chat/completions'],
      ['GET', '/models'],
    ] as const)
      expect(JSON.parse(await passed(method, path))).toMatchObject({ error: { message: without } });
  });

  it('is overwritten wherever the body is parted, and every other byte stays', async () => {
    const text = `{"a":"sk-wrongly ${KEY}","b":"\\n${KEY}","c":"xsk-wrong ü","d":"${KEY}`;
    const without = '{"a":"sk-wrongly ********","b":"\\n********","c":"xsk-wrong ü","d":"********';
    const bytes = Buffer.from(text);
    for (let at = 1; at < bytes.length; at += 1) {
      upstream.expect(
        null,
        rawBytes([bytes.subarray(0, at), bytes.subarray(at)], { status: 401, delayMs: 2 }),
      );
      expect(await passed('GET', '/models')).toBe(without);
    }
    const each = Array.from(bytes, (_, at) => bytes.subarray(at, at + 1));
    upstream.expect(null, rawBytes(each, { status: 401, delayMs: 1 }));
    expect(await passed('GET', '/models')).toBe(without);
  });

  it('stays in an answer that is no error: that one is never touched', async () => {
    upstream.expect(null, rawBytes([`{"content":"${KEY}"}`]));
    expect(await passed('POST', '/chat/completions')).toBe(`{"content":"${KEY}"}`);
  });
});
