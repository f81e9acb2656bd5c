import { createHash } from 'node:crypto';
import { request } from 'node:http';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import { describe, expect, it, onTestFinished } from 'vitest';
import { role, startUpstream, streamed } from '../support/upstream.ts';
import { startWhole } from '../trust/whole-server.ts';
import { APPROVE } from './cycles/support.ts';
import { startMemoryApi } from './memory/support.ts';
import { startApp } from './support.ts';

const hashOf = (key: string) => createHash('sha256').update(key).digest('hex');
const KEYS = `laptop:${hashOf('of-the-laptop')},build:${hashOf('of-the-build')}`;
const laptop = { authorization: 'Bearer of-the-laptop' };
const build = { authorization: 'Bearer of-the-build' };

const start = async (settings: Record<string, string> = {}) => {
  const api = await startMemoryApi({
    settings: { CCC_API_KEYS: KEYS, CCC_SESSION_REQUESTS_PER_MINUTE: '2', ...settings },
  });
  const newSession = async () =>
    (await api.call('POST', '/api/v2/sessions', {}, laptop)).body as { session_id: string; token: string };
  return { ...api, newSession };
};

/** The answer to a request that announces a body and never sends it. */
function answerWithoutBody(url: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': '100', ...headers },
    });
    asked.on('response', (answer) => {
      resolve(answer.statusCode ?? 0);
      asked.destroy();
    });
    asked.on('error', reject);
    asked.flushHeaders();
  });
}

describe('a limit of requests a minute for a session', () => {
  it('counts all keys and the session’s own token together, and leaves other sessions alone', async () => {
    const { call, newSession } = await start();
    const [mine, other] = [await newSession(), await newSession()];
    const path = `/api/v2/sessions/${mine.session_id}`;
    const first = await call('GET', path, undefined, laptop);
    expect(first.status).toBe(200);
    expect(first.headers.get('ratelimit-policy')).toBe('"session";q=2;w=60');
    expect(first.headers.get('x-ratelimit-remaining-requests')).toBe('1');
    expect((await call('GET', path, undefined, build)).status).toBe(200);
    for (const headers of [laptop, build, { authorization: `Bearer ${mine.token}` }]) {
      const refused = await call('GET', path, undefined, headers);
      expect(refused.status).toBe(429);
      expect(refused.body.error).toMatchObject({ code: 'rate_limited', param: 'session_id' });
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(refused.headers.get('ratelimit')).toMatch(/^"session";r=0;t=\d+$/);
    }
    expect((await call('GET', `/api/v2/sessions/${other.session_id}`, undefined, laptop)).status).toBe(200);
    expect((await call('GET', '/api/v2/sessions', undefined, laptop)).status).toBe(200);
  });

  it('refuses by the path and by the header before anything of the body is read', async () => {
    const { url, call, newSession } = await start();
    const { session_id: id } = await newSession();
    for (const _ of [1, 2]) await call('GET', `/api/v2/sessions/${id}`, undefined, laptop);
    const encoded = `%${id.charCodeAt(0).toString(16)}${id.slice(1)}`;
    for (const path of [
      `/v2/sessions/${id}/chat/completions`,
      `/v2/sessions/${encoded}/chat/completions`,
      `/api/v2/sessions/${id}/context`,
    ]) {
      expect(await answerWithoutBody(url + path, laptop), path).toBe(429);
    }
    const named = { ...laptop, 'x-ccc-session-id': id };
    expect(await answerWithoutBody(`${url}/v2/chat/completions`, named)).toBe(429);
  });

  it('counts a session that only the body or a conversation names, each request once', async () => {
    const { call, newSession } = await start();
    const { session_id: id } = await newSession();
    const begin = () => call('POST', '/api/v2/conversations', { session_id: id, directive: 'Hi.' }, laptop);
    const begun = await begin();
    expect(begun.status).toBe(201);
    expect(begun.headers.get('x-ratelimit-remaining-requests')).toBe('1');
    const path = `/api/v2/conversations/${String(begun.body.conversation_id)}`;
    expect((await call('GET', path, undefined, laptop)).status).toBe(200);
    expect((await call('GET', path, undefined, laptop)).status).toBe(429);
    expect((await begin()).status).toBe(429);
    const chat = { model: 'm', session_id: id, messages: [{ role: 'user', content: 'Hi.' }] };
    expect((await call('POST', '/v2/chat/completions', chat, laptop)).status).toBe(429);
  });

  it('counts what is asked of its cycles', async () => {
    const upstream = await startUpstream();
    onTestFinished(() => upstream.close());
    upstream
      .on(role('guidance'), streamed(['Two.']))
      .on(role('draft'), streamed(['The Rhine.']))
      .on(role('verdict'), streamed([APPROVE]));
    const { call } = await startWhole(upstream, { CCC_SESSION_REQUESTS_PER_MINUTE: '3' });
    const { session_id: id } = await call('POST', '/api/v2/sessions', {});
    const begun = await call('POST', `/api/v2/sessions/${String(id)}/cycles`, { directive: 'Name two.' });
    const path = `/api/v2/cycles/${String(begun.cycle_id)}`;
    for (let at = 0; at < 2; at += 1)
      expect(await call('GET', path)).toMatchObject({ cycle_id: begun.cycle_id });
    await expect(call('GET', path)).rejects.toThrow(/429 .*"rate_limited","param":"session_id"/);
  });

  it('cannot be used up by the token of another session', async () => {
    const { call, newSession } = await start({ CCC_SESSION_REQUESTS_PER_MINUTE: '3' });
    const [mine, other] = [await newSession(), await newSession()];
    const foreign = { authorization: `Bearer ${other.token}` };
    for (const _ of [1, 2, 3])
      expect((await call('GET', `/api/v2/sessions/${mine.session_id}`, undefined, foreign)).status).toBe(404);
    expect((await call('GET', `/api/v2/sessions/${mine.session_id}`, undefined, laptop)).status).toBe(200);
  });

  it('is told beside the caller’s, and clients hear of the one that has less left', async () => {
    const { call, newSession } = await start({ CCC_REQUESTS_PER_MINUTE: '3' });
    const { session_id: id } = await newSession();
    const answer = await call('GET', `/api/v2/sessions/${id}`, undefined, build);
    expect(answer.headers.get('ratelimit-policy')).toBe('"requests";q=3;w=60, "session";q=2;w=60');
    expect(answer.headers.get('x-ratelimit-limit-requests')).toBe('2');
    expect((await call('GET', `/api/v2/sessions/${id}`, undefined, laptop)).status).toBe(200);
    const last = await call('GET', '/api/v2/sessions', undefined, laptop);
    expect(last.headers.get('x-ratelimit-remaining-requests')).toBe('0');
  });
});

describe('what counts are kept under, where servers share them', () => {
  it('is no address and no id of a session', async () => {
    const keys: string[] = [];
    class Recording extends RateLimiterMemory {
      override consume(key: string | number) {
        keys.push(String(key));
        return super.consume(key);
      }
    }
    const { url } = await startApp({
      settings: { CCC_REQUESTS_PER_MINUTE: '9', CCC_SESSION_REQUESTS_PER_MINUTE: '9' },
      parts: {
        rateLimits: {
          limiter: ({ points, durationS }) => new Recording({ points, duration: durationS }),
        },
      },
    });
    await fetch(`${url}/api/v2/sessions/sess_mine`);
    await fetch(`${url}/api/v2/sessions/sess_mine`);
    expect(keys).toHaveLength(4);
    expect(new Set(keys).size).toBe(2);
    for (const key of keys) expect(key).toMatch(/^[\w-]{43}$/);
  });
});
