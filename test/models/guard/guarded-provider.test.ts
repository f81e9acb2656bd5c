import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createProvider } from '../../../src/models/create-provider.ts';
import { guardedProvider } from '../../../src/models/guard/guarded-provider.ts';
import type { ChatProvider } from '../../../src/models/provider.ts';
import { UpstreamError } from '../../../src/models/upstream-error.ts';
import { completion, failure, startUpstream, type Upstream } from '../../support/upstream.ts';

describe('the guard before the upstream', () => {
  let upstream: Upstream;
  let providers: ChatProvider[];
  beforeEach(async () => {
    upstream = await startUpstream();
    providers = [];
  });
  afterEach(async () => {
    await Promise.all(providers.map((provider) => provider.close()));
    await upstream.close();
  });

  const guarded = (options: { concurrency?: number; failures?: number; restMs?: number }) => {
    const inner = createProvider({
      provider: 'openai',
      baseUrl: upstream.baseUrl,
      apiKey: 'sk-test',
      model: 'm',
      timeoutMs: 5_000,
      maxRetries: 0,
    });
    const provider = guardedProvider(inner, { concurrency: 0, failures: 0, ...options });
    providers.push(provider);
    return provider;
  };
  const { signal } = new AbortController();
  const forward = async (provider: ChatProvider, lane = 'a') => {
    const answer = await provider.forward(
      { method: 'POST', path: '/chat/completions', headers: {}, body: Buffer.from('{}'), lane },
      signal,
    );
    let text = '';
    for await (const bytes of answer.body) text += String(bytes);
    return { status: answer.status, text };
  };
  const messageOf = (error: unknown) => (error as Error).message;
  const refused = (error: unknown) =>
    error instanceof UpstreamError
      ? { status: error.status, code: error.error['code'], retryAfter: error.headers['retry-after'] }
      : error;

  it('passes so many calls at once: a place is free when the whole answer has come', async () => {
    const provider = guarded({ concurrency: 1 });
    let answer: () => void = () => undefined;
    upstream.expect('/chat/completions', (res) => {
      res.writeHead(200, { 'content-type': 'text/plain' }).write('first ');
      answer = () => res.end('half');
    });
    upstream.expect('/chat/completions', (res) => res.end('second'));
    const first = forward(provider);
    await upstream.call(1);
    const second = forward(provider);
    await wait(20);
    expect(upstream.calls).toHaveLength(1);
    expect(provider.standing?.()).toMatchObject({ inFlight: 1, waiting: 1 });
    answer();
    expect((await first).text).toBe('first half');
    expect((await second).text).toBe('second');
    await expect.poll(() => provider.standing?.()).toMatchObject({ inFlight: 0, waiting: 0 });
    upstream.assertComplete();
  });

  it('refuses with 429 and a time to come back when too many wait already', async () => {
    const provider = guarded({ concurrency: 1 });
    upstream.on('/chat/completions', () => undefined);
    const calls = Array.from({ length: 9 }, () => forward(provider).catch(() => undefined));
    await upstream.call(1);
    expect(await forward(provider).catch(refused)).toEqual({
      status: 429,
      code: 'upstream_busy',
      retryAfter: '2',
    });
    await upstream.close();
    upstream = await startUpstream();
    await Promise.all(calls);
  });

  it('leaves an upstream alone that has failed many times in a row, then tries once and goes on', async () => {
    const provider = guarded({ failures: 3, restMs: 300 });
    for (let i = 0; i < 3; i += 1) upstream.expect('/chat/completions', failure(500));
    for (let i = 0; i < 3; i += 1) expect((await forward(provider)).status).toBe(500);
    expect(provider.standing?.().circuit).toBe('open');
    expect(await forward(provider).catch(refused)).toEqual({
      status: 503,
      code: 'upstream_unavailable',
      retryAfter: '1',
    });
    const chat = provider.chat({ model: 'm', messages: [{ role: 'user', content: 'x' }] }, { signal });
    expect(await chat.catch(refused)).toMatchObject({ status: 503, code: 'upstream_unavailable' });
    expect(upstream.calls).toHaveLength(3);
    await wait(350);
    upstream.expect('/chat/completions', completion({ content: 'back' }));
    expect((await forward(provider)).status).toBe(200);
    expect(provider.standing?.().circuit).toBe('closed');
    upstream.assertComplete();
  });

  it.each(['forward', 'chat'] as const)(
    'says of the last failure of a %s the status, not the words: they were for another caller',
    async (way) => {
      const provider = guarded({ failures: 1, restMs: 900 });
      upstream.expect('/chat/completions', failure(500, { message: 'You said: my diary' }));
      const messages = [{ role: 'user' as const, content: 'my diary' }];
      if (way === 'forward') await forward(provider);
      else await expect(provider.chat({ model: 'm', messages }, { signal })).rejects.toThrow('my diary');
      expect(await forward(provider).catch(messageOf)).toMatch(
        /: it is asked again in 1 second\. The last failure: It answered with status 500\.$/,
      );
    },
  );

  it('does not hold against the upstream what clients ask wrongly, and passes its words on unchanged', async () => {
    const provider = guarded({ failures: 2 });
    upstream.on('/chat/completions', failure(400, { message: 'no such field' }));
    for (let i = 0; i < 5; i += 1) {
      const { status, text } = await forward(provider);
      expect(status).toBe(400);
      expect(text).toContain('no such field');
    }
    upstream.on('/chat/completions', failure(429));
    for (let i = 0; i < 5; i += 1) expect((await forward(provider)).status).toBe(429);
    expect(provider.standing?.().circuit).toBe('closed');
  });

  it('counts an upstream that cannot be reached at all', async () => {
    const provider = guarded({ failures: 2 });
    await upstream.close();
    for (let i = 0; i < 2; i += 1)
      await expect(forward(provider)).rejects.toMatchObject({ code: 'upstream_unreachable' });
    expect(await forward(provider).catch(refused)).toMatchObject({ status: 503, retryAfter: '10' });
    expect(await forward(provider).catch(messageOf)).toBe(
      'The upstream has failed many times in a row and is left alone for a moment: it is asked again in 10 seconds. ' +
        `The last failure: The upstream could not be reached: nothing answers at ${new URL(upstream.baseUrl).origin} ` +
        '(ECONNREFUSED). Is it running, and is OPENAI_BASE_URL right?',
    );
    upstream = await startUpstream();
  });
});
