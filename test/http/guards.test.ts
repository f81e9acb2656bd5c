import { describe, expect, it } from 'vitest';
import { errorOf, listen, rawRequest, startApp } from './support.ts';

/** An upstream that counts: what is refused must never reach it. */
async function countingUpstream() {
  let calls = 0;
  const url = await listen((_req, res) => {
    calls += 1;
    res.end('{}');
  });
  return { url: `${url}/v1`, calls: () => calls };
}

const spend = { method: 'POST', path: '/v1/chat/completions', body: '{"messages":[]}' };

describe('the Host check', () => {
  it.each(['127.0.0.1', 'localhost', 'LOCALHOST', '[::1]'])('takes %s at its own port', async (name) => {
    const { port } = await startApp();
    const { status } = await rawRequest(port, { headers: { host: `${name}:${String(port)}` } });
    expect(status).toBe(200);
  });

  it.each([
    ['a foreign name that was rebound to this machine', (port: number) => `evil.example:${String(port)}`],
    ['another port', () => 'localhost:1'],
    ['no port, which is port 80', () => 'localhost'],
    ['a name that only begins like ours', (port: number) => `localhost.evil.example:${String(port)}`],
    ['a user name in front', (port: number) => `localhost@evil.example:${String(port)}`],
    ['nothing', () => ''],
  ])('refuses %s before anything is spent', async (_what, host) => {
    const upstream = await countingUpstream();
    const { port } = await startApp({ upstreamUrl: upstream.url });
    const answer = await rawRequest(port, { ...spend, headers: { host: host(port) } });
    expect(answer.status).toBe(403);
    expect(errorOf(answer.body).code).toBe('host_not_allowed');
    expect(upstream.calls()).toBe(0);
  });

  it('refuses HTTP/1.1 without a Host, and an address that names another host, in the same shape', async () => {
    const { port } = await startApp();
    expect((await rawRequest(port, {})).status).toBe(400);
    const answer = await rawRequest(port, {
      path: 'http://evil.example/health',
      headers: { host: `localhost:${String(port)}` },
    });
    expect(answer.status).toBe(400);
    expect(errorOf(answer.body).code).toBe('invalid_request');
  });

  it('takes the names of CCC_ALLOWED_HOSTS: with a port only that one, without any', async () => {
    const { port } = await startApp({ settings: { CCC_ALLOWED_HOSTS: 'ccc.example, other.example:8443' } });
    const ask = async (host: string) => (await rawRequest(port, { headers: { host } })).status;
    expect(await ask('ccc.example')).toBe(200);
    expect(await ask('ccc.example:444')).toBe(200);
    expect(await ask('other.example:8443')).toBe(200);
    expect(await ask('other.example')).toBe(403);
  });
});

describe('the Origin check', () => {
  it.each([
    ['another site', 'https://evil.example'],
    ['another port of this machine', 'http://localhost:3000'],
    ['a page without an origin', 'null'],
    ['not an origin at all', '%%%'],
  ])('refuses %s, text/plain posts included, before anything is spent', async (_what, origin) => {
    const upstream = await countingUpstream();
    const { port } = await startApp({ upstreamUrl: upstream.url });
    const answer = await rawRequest(port, {
      ...spend,
      headers: { host: `localhost:${String(port)}`, origin, 'content-type': 'text/plain' },
    });
    expect(answer.status).toBe(403);
    expect(errorOf(answer.body).code).toBe('origin_not_allowed');
    expect(answer.head).not.toContain('access-control-allow-origin');
    expect(upstream.calls()).toBe(0);
  });

  it('takes its own page, by the name that the page was opened with', async () => {
    const { port } = await startApp();
    for (const name of ['localhost', '127.0.0.1']) {
      const host = `${name}:${String(port)}`;
      const { status } = await rawRequest(port, { headers: { host, origin: `http://${host}` } });
      expect(status).toBe(200);
    }
    const crossed = { host: `localhost:${String(port)}`, origin: `http://127.0.0.1:${String(port)}` };
    expect((await rawRequest(port, { headers: crossed })).status).toBe(403);
  });

  it('takes its page over HTTPS only by a name that a reverse proxy gave it', async () => {
    const { port } = await startApp({ settings: { CCC_ALLOWED_HOSTS: 'ccc.example' } });
    const ask = async (host: string) =>
      (await rawRequest(port, { headers: { host, origin: `https://${host}` } })).status;
    expect(await ask('ccc.example')).toBe(200);
    expect(await ask(`localhost:${String(port)}`)).toBe(403);
  });

  it('refuses pictures and scripts that a foreign page embeds, and lets a person follow a link', async () => {
    const { port } = await startApp();
    const host = `localhost:${String(port)}`;
    const ask = async (headers: Record<string, string>) =>
      (await rawRequest(port, { headers: { host, ...headers } })).status;
    expect(await ask({ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' })).toBe(403);
    expect(await ask({ 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'no-cors' })).toBe(403);
    expect(await ask({ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' })).toBe(200);
    expect(await ask({ 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'no-cors' })).toBe(200);
    expect(await ask({ 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate' })).toBe(200);
  });

  it('lets nobody link to what costs or tells something, nor frame anything', async () => {
    const upstream = await countingUpstream();
    const { port } = await startApp({ upstreamUrl: upstream.url });
    const follow = async (path: string, dest: string, site = 'cross-site') => {
      const headers = {
        host: `localhost:${String(port)}`,
        'sec-fetch-site': site,
        'sec-fetch-mode': 'navigate',
        'sec-fetch-dest': dest,
      };
      return (await rawRequest(port, { path, headers })).status;
    };
    expect(await follow('/resonant_loop_lab.html', 'document')).toBe(200);
    expect(await follow('/resonant_loop_lab.html', 'iframe')).toBe(403);
    expect(await follow('/', 'object', 'same-site')).toBe(403);
    expect(await follow('/v1/models', 'document')).toBe(403);
    expect(await follow('/api/v2/sessions', 'document')).toBe(403);
    expect(upstream.calls()).toBe(0);
    // Typed, or from a bookmark.
    expect(await follow('/v1/models', 'document', 'none')).toBe(200);
  });
});

describe('CORS', () => {
  const origin = 'https://app.example';
  const preflight = {
    method: 'OPTIONS',
    path: '/v2/chat/completions',
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,content-type,x-ccc-session-id',
    },
  };

  it('answers the preflight of an origin of CORS_ORIGINS, and lets its page read the headers that matter', async () => {
    const { url, port } = await startApp({ settings: { CORS_ORIGINS: origin } });
    const host = `localhost:${String(port)}`;
    const answer = await rawRequest(port, { ...preflight, headers: { host, ...preflight.headers } });
    expect(answer.status).toBe(204);
    expect(answer.head).toContain(`access-control-allow-origin: ${origin}`);
    expect(answer.head).toContain(
      'access-control-allow-headers: authorization,content-type,x-ccc-session-id',
    );
    const response = await fetch(`${url}/health`, { headers: { origin } });
    expect(response.headers.get('access-control-allow-origin')).toBe(origin);
    expect(response.headers.get('vary')).toMatch(/origin/i);
    expect(response.headers.get('access-control-expose-headers')).toMatch(/x-ccc-cycle-id/);
    expect(response.headers.get('access-control-allow-credentials')).toBeNull();
  });

  it('refuses the preflight of any other origin', async () => {
    const { port } = await startApp();
    const host = `localhost:${String(port)}`;
    const answer = await rawRequest(port, { ...preflight, headers: { host, ...preflight.headers } });
    expect(answer.status).toBe(403);
    expect(answer.head).not.toContain('access-control-allow');
  });

  it('lets a page read why it was refused when its origin may call', async () => {
    const { url } = await startApp({ settings: { CORS_ORIGINS: origin } });
    const response = await fetch(`${url}/nowhere`, { headers: { origin } });
    expect(response.status).toBe(404);
    expect(response.headers.get('access-control-allow-origin')).toBe(origin);
  });
});
