import { Registry } from 'prom-client';
import { expect, it, onTestFinished } from 'vitest';
import { meteredProvider } from '../../src/http/operation/upstream-metrics.ts';
import { createOpenAiProvider } from '../../src/models/openai/openai-provider.ts';
import { completion, failure, hang, startUpstream } from '../support/upstream.ts';

it('calls to the upstream are counted by how they ended, and the tokens of our own', async () => {
  const upstream = await startUpstream();
  const registry = new Registry();
  const provider = meteredProvider(
    createOpenAiProvider({
      baseUrl: upstream.baseUrl,
      apiKey: 'sk-secret',
      model: 'secret-model',
      timeoutMs: 5_000,
      maxRetries: 0,
    }),
    registry,
  );
  onTestFinished(async () => {
    await provider.close();
    await upstream.close();
  });
  const { signal } = new AbortController();
  const request = { model: 'secret-model', messages: [{ role: 'user', content: 'secret' }] };
  const forward = (stop: AbortSignal) =>
    provider.forward({ method: 'GET', path: '/models', headers: {}, body: null }, stop);

  upstream.expect(
    '/chat/completions',
    completion({ content: 'a', usage: { prompt_tokens: 7, completion_tokens: 2 } }),
  );
  await provider.chat(request, { signal });
  upstream.expect('/chat/completions', failure(429));
  await expect(provider.chat(request, { signal })).rejects.toThrow();
  upstream.expect('/models', failure(404));
  const { status, body } = await forward(signal);
  body.resume();
  expect(status).toBe(404);
  upstream.expect('/models', hang());
  const controller = new AbortController();
  const aborted = forward(controller.signal);
  await upstream.call(4);
  controller.abort();
  await expect(aborted).rejects.toThrow();

  const text = await registry.metrics();
  for (const line of [
    'ccc_upstream_calls_total{call="chat",status="200"} 1',
    'ccc_upstream_calls_total{call="chat",status="429"} 1',
    'ccc_upstream_calls_total{call="forward",status="404"} 1',
    'ccc_upstream_calls_total{call="forward",status="aborted"} 1',
    'ccc_upstream_tokens_total{kind="prompt"} 7',
    'ccc_upstream_tokens_total{kind="completion"} 2',
  ])
    expect(text).toContain(`${line}\n`);
  expect(text).not.toContain('secret');
});
