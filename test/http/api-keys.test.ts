import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { startMemoryApi } from './memory/support.ts';
import { bytesOf, listen } from './support.ts';

const KEY = 'ccc_key_of-the-laptop';
const BUSY_KEY = 'ccc_key_of-the-build';
const hashOf = (key: string) => createHash('sha256').update(key).digest('hex');
const KEYS = `laptop:${hashOf(KEY)},build:${hashOf(BUSY_KEY)}:2/min`;
const as = (key: string) => ({ authorization: `Bearer ${key}` });

/** An upstream that says what reached it. */
async function recordingUpstream() {
  const seen: string[] = [];
  const url = await listen((req, res) => {
    void bytesOf(req).then(() => {
      seen.push(`${req.url ?? ''} ${req.headers.authorization ?? ''}`);
      res.setHeader('content-type', 'application/json').end('{"object":"list","data":[]}');
    });
  });
  return { upstreamUrl: `${url}/v1`, seen };
}

const start = async (settings: Record<string, string> = {}, log?: string[]) => {
  const { upstreamUrl, seen } = await recordingUpstream();
  const api = await startMemoryApi({
    upstreamUrl,
    settings: { CCC_API_KEYS: KEYS, ...settings },
    ...(log ? { log } : {}),
  });
  return { ...api, seen };
};

describe('with keys configured', () => {
  it.each([
    ['POST', '/v1/chat/completions'],
    ['GET', '/v1/models'],
    ['POST', '/v2/chat/completions'],
    ['POST', '/v2/embeddings'],
    ['POST', '/api/v2/sessions'],
    ['GET', '/api/v2/sessions'],
    ['POST', '/api/v2/sessions/import'],
    ['GET', '/api/v2/sessions/sess_x'],
    ['GET', '/api/v2/status'],
    ['GET', '/metrics'],
    ['GET', '/nothing/here'],
    ['GET', '/health/../metrics'],
    ['POST', '/'],
  ])('%s %s is refused without one, before the upstream hears of it', async (method, path) => {
    const { call, seen } = await start();
    for (const headers of [{}, as('ccc_key_wrong'), as(hashOf(KEY)), { authorization: `Basic ${KEY}` }]) {
      const answer = await call(method, path, method === 'POST' ? {} : undefined, headers);
      expect(answer.status).toBe(401);
      expect(answer.body.error).toMatchObject({ code: 'invalid_api_key', type: 'authentication_error' });
      expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="ccc"');
    }
    expect(seen).toEqual([]);
  });

  it('a key opens everything, and goes no further than here', async () => {
    const { call, seen } = await start();
    expect((await call('GET', '/v1/models', undefined, as(KEY))).status).toBe(200);
    expect(seen).toHaveLength(1);
    expect(seen[0]).not.toContain(KEY);
    expect((await call('POST', '/api/v2/sessions', {}, as(KEY))).status).toBe(201);
    expect((await call('GET', '/api/v2/sessions', undefined, as(KEY))).body.data).toHaveLength(1);
  });

  it('health and the page stay open', async () => {
    const { call } = await start();
    for (const path of ['/health', '/', '/?session=x', '/resonant_loop_lab.html', '/icon.svg']) {
      expect((await call('GET', path)).status, path).toBe(200);
    }
  });

  it("a session's token opens that session, and neither another one nor what belongs to none", async () => {
    const { call } = await start();
    const [mine, other] = [
      (await call('POST', '/api/v2/sessions', {}, as(KEY))).body as { session_id: string; token: string },
      (await call('POST', '/api/v2/sessions', {}, as(KEY))).body as { session_id: string },
    ];
    const token = as(mine.token);
    expect((await call('GET', `/api/v2/sessions/${mine.session_id}`, undefined, token)).status).toBe(200);
    expect((await call('GET', `/api/v2/sessions/${other.session_id}`, undefined, token)).status).toBe(404);
    expect((await call('GET', '/api/v2/sessions', undefined, token)).body.data).toHaveLength(1);
    const begun = await call(
      'POST',
      '/api/v2/conversations',
      { session_id: mine.session_id, directive: 'Hi.' },
      token,
    );
    expect(begun.status).toBe(201);
    for (const [method, path] of [
      ['POST', '/v1/chat/completions'],
      ['POST', '/api/v2/sessions'],
      ['POST', '/api/v2/sessions/import'],
      ['GET', '/api/v2/status'],
      ['GET', '/metrics'],
    ] as const) {
      const answer = await call(method, path, method === 'POST' ? {} : undefined, token);
      expect(answer.status, path).toBe(401);
    }
    const invented = await call('POST', '/v2/embeddings', {}, as('ccc_sess_invented'));
    expect(invented.status).toBe(401);
    expect(invented.body.error.code).toBe('invalid_token');
    expect(invented.headers.get('www-authenticate')).toBe('Bearer realm="ccc"');
  });

  it('the log names the key, and holds no key', async () => {
    const log: string[] = [];
    const { call } = await start({}, log);
    await call('GET', '/v1/models', undefined, as(KEY));
    await call('GET', '/v1/models', undefined, as('ccc_key_wrong'));
    await expect.poll(() => log.filter((line) => line.includes('"request"')).length).toBe(2);
    expect(log.join('')).toContain('"key":"laptop"');
    expect(log.join('')).not.toContain(KEY);
    expect(log.join('')).not.toContain('ccc_key_wrong');
  });
});

describe('a limit of requests a minute', () => {
  it("holds for a key by its own number, says what is left, and does not touch another's", async () => {
    const { call, seen } = await start();
    const first = await call('GET', '/v2/models', undefined, as(BUSY_KEY));
    expect(first.status).toBe(200);
    await call('GET', '/v2/models', undefined, as(BUSY_KEY));
    const refused = await call('GET', '/v2/models', undefined, as(BUSY_KEY));
    expect(refused.status).toBe(429);
    expect(refused.body.error).toMatchObject({ code: 'rate_limited', type: 'rate_limit_error' });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(refused.headers.get('ratelimit-policy')).toBe('"requests";q=2;w=60');
    expect(refused.headers.get('ratelimit')).toMatch(/^"requests";r=0;t=\d+$/);
    expect(refused.headers.get('x-ratelimit-remaining-requests')).toBe('0');
    expect((await call('GET', '/v2/models', undefined, as(KEY))).status).toBe(200);
    expect(seen).toHaveLength(3);
  });

  it('holds for an address where there are no keys, and leaves health alone', async () => {
    const { call } = await start({ CCC_API_KEYS: '', CCC_REQUESTS_PER_MINUTE: '3' });
    const statuses = [];
    for (let i = 0; i < 4; i += 1) statuses.push((await call('GET', '/api/v2/sessions')).status);
    expect(statuses).toEqual([200, 200, 200, 429]);
    expect((await call('GET', '/health')).status).toBe(200);
  });
});
