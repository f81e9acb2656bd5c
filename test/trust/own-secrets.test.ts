import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startServerProcess } from '../support/server-process.ts';
import { failure, json, startUpstream } from '../support/upstream.ts';
import { EVERYTHING_ON, liveThrough, scriptUpstream } from './busy-session.ts';
import { temporaryFolder, whereIn, type WholeServer } from './whole-server.ts';

// Without a form by which a masker could know them.
const UPSTREAM_KEY = 'quiet-heron-upstream-sentinel';
const CLIENT_KEY = 'quiet-heron-client-sentinel';
const COLLECTOR_KEY = 'quiet-heron-collector-sentinel';
const WRONG_KEY = 'quiet-heron-wrong-sentinel';
const NEEDLE = 'quiet-heron';
const hashOf = (key: string) => createHash('sha256').update(key).digest('hex');

/** The built server in a process of its own, with a key to it. All that it ever answers is kept. */
async function startGuarded(env: Record<string, string>) {
  const dataDir = temporaryFolder();
  const hash = hashOf(CLIENT_KEY);
  const server = await startServerProcess({
    dataDir,
    env: { CCC_API_KEYS: `laptop:${hash}`, ...env, LOG_LEVEL: 'debug', OPENAI_API_KEY: UPSTREAM_KEY },
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
    const collector = await startUpstream();
    onTestFinished(() => collector.close());
    collector.on(null, json({}));
    const server = await startGuarded({
      ...EVERYTHING_ON,
      OPENAI_BASE_URL: upstream.baseUrl,
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.baseUrl.replace(/\/v1$/, ''),
      OTEL_EXPORTER_OTLP_HEADERS: `x-key=${COLLECTOR_KEY}`,
    });
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
    // Traces went out, with the collector's own key as their only secret, where it belongs.
    expect(collector.calls.length).toBeGreaterThan(0);
    for (const { headers, body } of collector.calls) {
      expect(headers['x-key']).toBe(COLLECTOR_KEY);
      for (const secret of [NEEDLE, ...server.tokens])
        expect(JSON.stringify({ ...headers, 'x-key': '' }) + body).not.toContain(secret);
    }
  });

  it('not even when a person pastes them into what is stored, or comes with them too often', async () => {
    const upstream = await startUpstream();
    onTestFinished(() => upstream.close());
    scriptUpstream(upstream, 'harbourmaster');
    // In the form that `npm run api-key` gives: of the key itself only the hash is known here.
    const pasted = `ccc_key_${randomBytes(32).toString('base64url')}`;
    const server = await startGuarded({
      ...EVERYTHING_ON,
      OPENAI_BASE_URL: upstream.baseUrl,
      CCC_API_KEYS: `laptop:${hashOf(CLIENT_KEY)},pasted:${hashOf(pasted)}:2/min`,
    });
    const { session_id: id, token } = await server.call('POST', '/api/v2/sessions', {});
    const base = `/api/v2/sessions/${String(id)}`;
    const secrets = [String(token), pasted, UPSTREAM_KEY];
    const words = `Keep ${secrets.join(' and ')} for the harbour.`;
    await server.call('PUT', `${base}/preferences`, { user_preferences: { name: words } });
    const begun = await server.call('POST', '/api/v2/conversations', { session_id: id, directive: words });
    await server.call('POST', `/api/v2/conversations/${String(begun.conversation_id)}/turns`, {
      agent: 'wykeve',
      content: words,
      metadata: { note: words },
    });
    await server.call('POST', `${base}/causal/events`, { events: [{ text: words }] });
    const chat = { model: 'any', session_id: id, messages: [{ role: 'user', content: words }] };
    for (const mode of ['direct', 'cycle'])
      await server.call('POST', '/v2/chat/completions', { ...chat, covenant: { mode } });
    const statuses: number[] = [];
    for (let at = 0; at < 3; at += 1)
      statuses.push(
        (await server.send('GET', base, undefined, { authorization: `Bearer ${pasted}` })).status,
      );
    expect(statuses).toEqual([200, 200, 429]);
    await server.settled();
    const exported = await (await server.send('POST', `${base}/export`)).text();
    expect(exported).toContain('[masked: ccc-session-token]');
    expect(exported).toContain('[masked: ccc-api-key]');
    expect(exported).toContain('[masked: openai-api-key]');
    await server.send('GET', '/metrics');
    await server.send('GET', `${base}/context?directive=harbour`);
    await server.stop();
    const written = server.stdout() + server.stderr();
    // All that was answered, but for the one answer that hands out the token.
    const [, ...heard] = server.heard;
    for (const secret of secrets) {
      expect(heard.filter((text) => text.includes(secret))).toEqual([]);
      expect(written).not.toContain(secret);
      expect(whereIn(server.dataDir, secret)).toEqual([]);
    }
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
