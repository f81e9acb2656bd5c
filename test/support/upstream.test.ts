import OpenAI from 'openai';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  completion,
  dieMidStream,
  failure,
  hang,
  role,
  startUpstream,
  streamed,
  type Upstream,
} from './upstream.ts';

let upstream: Upstream;
let client: OpenAI;

beforeEach(async () => {
  upstream = await startUpstream();
  client = new OpenAI({ baseURL: upstream.baseUrl, apiKey: 'any', maxRetries: 0 });
});

afterEach(() => upstream.close());

const ask = (content = 'Hi', system = 'You help.') =>
  client.chat.completions.create({
    model: 'm',
    messages: [
      { role: 'system', content: system },
      { role: 'user', content },
    ],
  });

describe('the scripted upstream', () => {
  it('answers expected calls in turn and keeps what came', async () => {
    upstream
      .expect('/chat/completions', completion({ content: 'one' }))
      .expect(null, completion({ content: 'two' }));
    expect((await ask()).choices[0]?.message.content).toBe('one');
    expect((await ask()).choices[0]?.message.content).toBe('two');
    expect(upstream.calls[0]).toMatchObject({ method: 'POST', path: '/chat/completions' });
    expect(upstream.calls[0]?.json.messages[1].content).toBe('Hi');
    upstream.assertComplete();
  });

  it('fails a call that nobody expected, and says which', async () => {
    await expect(ask()).rejects.toMatchObject({ status: 500 });
    expect(() => {
      upstream.assertComplete();
    }).toThrow(/unexpected call: POST \/chat\/completions/);
  });

  it('says which expected call never came', () => {
    upstream.expect('/models', completion());
    expect(() => {
      upstream.assertComplete();
    }).toThrow(/never came: \/models/);
  });

  it('reports a reply that failed by itself', async () => {
    upstream.expect(null, () => {
      throw new Error('a slip in the script');
    });
    await expect(ask()).rejects.toThrow();
    expect(() => {
      upstream.assertComplete();
    }).toThrow(/a slip in the script/);
  });

  it('tells the roles of a cycle apart', async () => {
    upstream
      .on(role('draft'), completion({ content: 'a draft' }))
      .on(role('verdict'), completion({ content: 'a verdict' }));
    const first = await ask('x', 'CCC-Role: verdict\n\nYou are Beatrice.');
    const second = await ask('x', 'CCC-Role: draft\n\nYou are Codey.');
    expect(first.choices[0]?.message.content).toBe('a verdict');
    expect(second.choices[0]?.message.content).toBe('a draft');
  });

  it('streams, with usage when it was asked for', async () => {
    upstream.expect(null, streamed(['Good ', 'day.'], { usage: { prompt_tokens: 2, completion_tokens: 4 } }));
    const stream = await client.chat.completions.create({
      model: 'm',
      messages: [],
      stream: true,
      stream_options: { include_usage: true },
    });
    let text = '';
    let total = 0;
    for await (const part of stream) {
      text += part.choices[0]?.delta.content ?? '';
      total = part.usage?.total_tokens ?? total;
    }
    expect(text).toBe('Good day.');
    expect(total).toBe(6);
  });

  it('breaks off in the middle, and does not take that for a caller who hung up', async () => {
    upstream.expect(null, dieMidStream(['Half ']));
    const stream = await client.chat.completions.create({ model: 'm', messages: [], stream: true });
    await expect(async () => {
      for await (const _part of stream);
    }).rejects.toThrow();
    expect(upstream.calls[0]?.abortedAt).toBeNull();
  });

  it('notices a caller who hangs up', async () => {
    upstream.expect(null, hang());
    const controller = new AbortController();
    const asked = client.models.list({ signal: controller.signal });
    asked.catch(() => undefined);
    const call = await upstream.call(1);
    controller.abort();
    expect(await call.aborted).toBeGreaterThan(call.at);
  });

  it('refuses with the status and headers of the script', async () => {
    upstream.expect(null, failure(429, { code: 'rate_limit_exceeded' }, { 'retry-after': '7' }));
    const error = await ask().catch((reason: unknown) => reason as InstanceType<typeof OpenAI.APIError>);
    expect(error).toMatchObject({ status: 429, code: 'rate_limit_exceeded' });
    expect((error as { headers: Headers }).headers.get('retry-after')).toBe('7');
  });
});
