import { createHash } from 'node:crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startServerProcess } from '../support/server-process.ts';
import { failure, startUpstream } from '../support/upstream.ts';
import { EVERYTHING_ON, liveThrough, scriptUpstream } from './busy-session.ts';
import { temporaryFolder, whereIn, type WholeServer } from './whole-server.ts';

// Without a form by which a masker could know them.
const UPSTREAM_KEY = 'quiet-heron-upstream-sentinel';
const CLIENT_KEY = 'quiet-heron-client-sentinel';
const WRONG_KEY = 'quiet-heron-wrong-sentinel';
const NEEDLE = 'quiet-heron';

/** The built server in a process of its own, with a key to it. All that it ever answers is kept. */
async function startGuarded(env: Record<string, string>) {
  const dataDir = temporaryFolder();
  const hash = createHash('sha256').update(CLIENT_KEY).digest('hex');
  const server = await startServerProcess({
    dataDir,
    env: { ...env, CCC_API_KEYS: `laptop:${hash}`, LOG_LEVEL: 'debug', OPENAI_API_KEY: UPSTREAM_KEY },
  });
  onTestFinished(async () => {
    if (server.child.exitCode === null) await server.stop('SIGKILL');
  });
  const heard: string[] = [];
  const tokens: string[] = [];
  const send = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const response = await fetch(server.url + path, {
      method,
      headers: {
        authorization: `Bearer ${CLIENT_KEY}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    heard.push(`${JSON.stringify([...response.headers])} ${text}`);
    for (const [token] of text.matchAll(/ccc_sess_[\w-]+/g)) tokens.push(token);
    return new Response(text, { status: response.status });
  };
  const call = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const response = await send(method, path, body, headers);
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${String(response.status)} ${text}`);
    // eslint-disable-next-line @typescript-eslint/no-explicit-any -- tests reach into it freely
    return (text === '' ? null : JSON.parse(text)) as any;
  };
  const settled = async () => {
    for (let quiet = 0; quiet < 3;) {
      const { jobs } = (await call('GET', '/api/v2/status')) as { jobs: { state: string }[] };
      quiet = jobs.every(({ state }) => state === 'failed') ? quiet + 1 : 0;
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    return [];
  };
  return { ...server, dataDir, heard, tokens, send, call, settled };
}

describe('this server’s secrets: the upstream’s key, clients’ keys, tokens of sessions', () => {
  it('are in no file, log line, metric, error or export of a run that uses everything and meets errors', async () => {
    const upstream = await startUpstream();
    onTestFinished(() => upstream.close());
    scriptUpstream(upstream, 'harbourmaster');
    const server = await startGuarded({ ...EVERYTHING_ON, OPENAI_BASE_URL: upstream.baseUrl });
    const { sessionId, base } = await liveThrough(
      server as unknown as WholeServer,
      upstream,
      'harbourmaster',
    );

    // What a run brings besides: keys that are wrong or in the wrong place, tokens used as such, broken requests.
    const chat = { model: 'any', session_id: sessionId, messages: [{ role: 'user', content: 'Hello.' }] };
    const { token } = await server.call('POST', '/api/v2/sessions', {});
    const refused = await server.send('POST', '/v2/chat/completions', chat, {
      authorization: `Bearer ${WRONG_KEY}`,
    });
    expect(refused.status).toBe(401);
    await server.send('GET', `/api/v2/sessions?api_key=${WRONG_KEY}`);
    await server.send('GET', `/api/v2/${WRONG_KEY}`, undefined, { 'x-api-key': WRONG_KEY });
    await server.send('GET', base, undefined, { authorization: `Bearer ${String(token)}` });
    await server.send('POST', '/v2/chat/completions', '{"broken', { 'x-request-id': 'mine' });
    const direct = { ...chat, session_id: undefined };
    await server.send('POST', '/v2/chat/completions', direct, { authorization: `Bearer ${String(token)}` });
    await server.send('POST', '/v1/chat/completions', { ...chat, session_id: undefined });
    const exported = await (await server.send('POST', `${base}/export`)).text();
    await server.send('POST', '/api/v2/sessions/import', exported.replaceAll(sessionId, `${sessionId}x`), {
      'content-type': 'application/x-ndjson',
    });
    for (const path of ['/metrics', '/health', '/api/v2/status', '/api/v2/analytics', '/'])
      await server.send('GET', path);
    await server.settled();

    expect(server.tokens.length).toBeGreaterThan(1);
    expect(upstream.calls.some(({ headers }) => headers.authorization === `Bearer ${UPSTREAM_KEY}`)).toBe(
      true,
    );
    expect(
      upstream.calls.filter(({ headers, body }) => (JSON.stringify(headers) + body).includes(CLIENT_KEY)),
    ).toEqual([]);
    // The wrong path is told back to who asked for it, and a token is shown the once. Nothing else is.
    const told = server.heard.filter(
      (text) => text.includes(NEEDLE) && !text.includes(`/api/v2/${WRONG_KEY}`),
    );
    expect(told).toEqual([]);
    expect(new Set(server.tokens).size).toBe(server.tokens.length);

    expect(whereIn(server.dataDir, NEEDLE)).toEqual([]);
    await server.stop();
    const written = server.stdout() + server.stderr();
    expect(written).toContain('"msg":"request"');
    for (const secret of [NEEDLE, ...server.tokens]) {
      expect(written).not.toContain(secret);
      expect(whereIn(server.dataDir, secret)).toEqual([]);
    }
    expect(whereIn(server.dataDir, 'harbourmaster')).toContain('ccc.db');
  });

  it('not even when the upstream quotes its key in an error', async () => {
    const upstream = await startUpstream();
    onTestFinished(() => upstream.close());
    upstream.on(null, failure(401, { message: `Incorrect API key provided: ${UPSTREAM_KEY}.` }));
    const server = await startGuarded({
      ...EVERYTHING_ON,
      OPENAI_BASE_URL: upstream.baseUrl,
      OPENAI_MAX_RETRIES: '0',
    });
    const { session_id: sessionId } = await server.call('POST', '/api/v2/sessions', {});
    const messages = [{ role: 'user', content: `The harbour is quiet. ${'It is early. '.repeat(300)}` }];
    for (const mode of ['direct', 'cycle'])
      for (const stream of [false, true])
        await server.send('POST', '/v2/chat/completions', {
          model: 'any',
          session_id: sessionId,
          stream,
          covenant: { mode },
          messages,
        });
    // Long enough for work in the background to be tried, and to fail.
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(upstream.calls.length).toBeGreaterThan(3);
    const exported = await (await server.send('POST', `/api/v2/sessions/${String(sessionId)}/export`)).text();
    const metrics = await (await server.send('GET', '/metrics')).text();
    await server.stop();
    expect(exported + metrics).not.toContain(NEEDLE);
    expect(server.stdout() + server.stderr()).not.toContain(NEEDLE);
    expect(whereIn(server.dataDir, NEEDLE)).toEqual([]);
  });
});
