import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { role, streamed } from '../../support/upstream.ts';
import { APPROVE, startServer } from './support.ts';

const messages = [{ role: 'user' as const, content: 'Name two rivers.' }];
const usage = (tokens: number) => ({ prompt_tokens: tokens, completion_tokens: 0 });

/** A server with a session that prefers a budget, and an upstream whose calls cost 2,000 tokens each. */
async function sessionWithBudget(budget: object) {
  const server = await startServer();
  const { api, sessionId, upstream, url } = server;
  upstream
    .on(role('guidance'), streamed(['Two.'], { usage: usage(2_000) }))
    .on(role('draft'), streamed(['The Rhine and the Rhône.'], { usage: usage(2_000) }))
    .on(role('verdict'), streamed([APPROVE], { usage: usage(2_000) }));
  const path = `/api/v2/sessions/${sessionId}`;
  const put = await api.put(`${path}/preferences`, { user_preferences: { budget } });
  const ask = (more: object = {}) =>
    fetch(`${url}/v2/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'm', session_id: sessionId, messages, ...more }),
    });
  return { ...server, put, ask, path };
}

describe('a session whose budget is used up', () => {
  it.each([
    ['whole', {}],
    ['streamed', { stream: true }],
  ])('gets a refusal with its status and no call, %s', async (_form, more) => {
    const { ask, upstream } = await sessionWithBudget({ tokens_per_day: 8_000 });
    expect((await ask()).status).toBe(200);
    const calls = upstream.calls.length;
    const refused = await ask(more);
    expect(refused.status).toBe(429);
    // Tomorrow it is free again; trying before that is of no use, and the SDKs are told so.
    expect(refused.headers.get('x-should-retry')).toBe('false');
    const seconds = Number(refused.headers.get('retry-after'));
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThanOrEqual(86_400);
    expect(await refused.json()).toEqual({
      error: {
        message: 'The token budget of this session for today has no room for the next call.',
        type: 'insufficient_quota',
        code: 'budget_exhausted',
        param: 'budget.session_day.tokens',
      },
    });
    expect(upstream.calls).toHaveLength(calls);
  });

  it('is not asked again and again by the OpenAI SDK, which tries a 429 twice by itself', async () => {
    const { ask, upstream, url, sessionId } = await sessionWithBudget({ tokens_per_day: 8_000 });
    await ask();
    const calls = upstream.calls.length;
    const client = new OpenAI({ baseURL: `${url}/v2/sessions/${sessionId}`, apiKey: 'none', maxRetries: 2 });
    let requests = 0;
    const counting: typeof fetch = (...args) => {
      requests += 1;
      return fetch(...args);
    };
    const asked = client.withOptions({ fetch: counting }).chat.completions.create({ model: 'm', messages });
    await expect(asked).rejects.toMatchObject({ status: 429, code: 'budget_exhausted' });
    expect([requests, upstream.calls.length]).toEqual([1, calls]);
  });

  it('can see what it has spent and what is left', async () => {
    const { ask, api, path } = await sessionWithBudget({ tokens: 8_000, rounds_per_day: 3 });
    await ask();
    const { body } = await api.get(`${path}/budget`);
    expect(body).toMatchObject({
      session: {
        limits: { tokens: 8_000, seconds: null, rounds: null },
        spent: { tokens: 6_000, rounds: 1 },
        reserved: { tokens: 0, seconds: 0, rounds: 0 },
      },
      session_day: {
        limits: { tokens: null, seconds: null, rounds: 3 },
        spent: { tokens: 6_000, rounds: 1 },
      },
      day: { limits: { tokens: null, seconds: null, rounds: null }, left: { tokens: null } },
    });
  });

  it('refuses a budget that is none when it is set', async () => {
    const { put, path, api } = await sessionWithBudget({ tokens: -1 });
    expect(put).toMatchObject({ status: 400, body: { error: { param: 'user_preferences.budget.tokens' } } });
    const misspelt = await api.put(`${path}/preferences`, { user_preferences: { budget: { token: 1 } } });
    expect(misspelt.status).toBe(400);
  });
});
