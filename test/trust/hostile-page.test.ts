import { readFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { chromium, type Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { findChromium } from '../../scripts/find-chromium.mjs';
import { completion, json, startUpstream } from '../support/upstream.ts';
import { startWhole } from './whole-server.ts';

const PAGE = readFileSync(new URL('hostile-page.html', import.meta.url), 'utf8');
const SECRET = 'the name of what is private';

type Read = Record<string, string | null>;

/** A server of the attacker's, or of somebody careless. */
async function serve(listener: RequestListener): Promise<number> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

const hostile: RequestListener = (_req, res) => {
  res.setHeader('content-type', 'text/html; charset=utf-8');
  res.end(PAGE);
};

/** A server with a paid upstream and something private in its memory. */
async function startVictim(more: Record<string, string> = {}) {
  const upstream = await startUpstream();
  onTestFinished(() => upstream.close());
  upstream
    .on('/chat/completions', completion({ content: SECRET }))
    .on('/models', json({ object: 'list', data: [{ id: SECRET, object: 'model' }] }));
  const server = await startWhole(upstream, { CCC_COVENANT_DEFAULT: 'direct', ...more });
  await server.call('POST', '/api/v2/sessions', { user_preferences: { name: SECRET } });
  server.log.length = 0;
  const sessions = async () => (await server.parts.dal.maintenance.counts()).sessions;
  /** Routes that the attack was let into, as the log tells. */
  const letIn = () =>
    server.log
      .map((line) => JSON.parse(line) as { msg: string; method: string; route: string; status: number })
      .filter(({ msg, status }) => msg === 'request' && status !== 403)
      // Browsers ask for a picture of every server whose page they open.
      .filter(({ route, status }) => route !== 'other' || status !== 404)
      .map(({ method, route, status }) => `${method} ${route} ${String(status)}`);
  return { ...server, port: Number(new URL(server.url).port), upstream, sessions, letIn };
}

describe('a hostile page in a real browser', () => {
  let browser: Browser;
  beforeAll(async () => {
    const executablePath = findChromium();
    if (!executablePath) throw new Error('No Chromium found: run node scripts/prepare-tests.mjs.');
    browser = await chromium.launch({
      executablePath,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-popup-blocking',
        '--disable-background-networking',
        '--disable-component-update',
        // New browsers ask the person before a page reaches this machine. We do not rely on it.
        '--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests',
        // A name of the attacker's that leads to this machine. All that the name can be told is in this line.
        '--host-resolver-rules=MAP evil.example 127.0.0.1, MAP rebound.example 127.0.0.1',
      ],
    });
  });
  afterAll(() => browser.close());

  /** What the page could read, by each of its ways. */
  async function attackFrom(address: string): Promise<Read> {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(address);
    const read = await page.evaluate<Read>('attack()');
    // Beacons go out after the page is done.
    await page.waitForTimeout(200);
    await context.close();
    return read;
  }

  /** The page first comes from the attacker, under this name and port; then the name leads to the server. */
  async function attackByRebinding(origin: string): Promise<Read> {
    const context = await browser.newContext();
    await context.route(`${origin}/prize`, (route) =>
      route.fulfill({ contentType: 'text/html', body: PAGE }),
    );
    const page = await context.newPage();
    await page.goto(`${origin}/prize`);
    const read = await page.evaluate<Read>('attack()');
    await page.waitForTimeout(200);
    await context.close();
    return read;
  }

  const whatWasRead = (read: Read) =>
    Object.entries(read).filter(([, text]) => text?.includes(SECRET) === true || text === 'opened');

  it('does harm to a careless server: its ways are real', async () => {
    const arrived = new Set<string>();
    const port = await serve((req, res) => {
      const { method = '', url = '' } = req;
      let body = '';
      req.on('data', (part: Buffer) => (body += part.toString()));
      req.on('end', () => {
        arrived.add(`${method} ${url.split('?')[0] ?? ''} ${body.includes('hostile') ? 'paid' : ''}`.trim());
        res.setHeader('access-control-allow-origin', req.headers.origin ?? '*');
        res.setHeader('access-control-allow-credentials', 'true');
        res.setHeader('access-control-allow-headers', 'content-type');
        res.setHeader('content-type', 'text/plain');
        res.end(SECRET);
      });
    });
    const evil = await serve(hostile);
    const read = await attackFrom(
      `http://evil.example:${String(evil)}/?target=http://127.0.0.1:${String(port)}`,
    );
    expect([...arrived].sort()).toEqual(
      expect.arrayContaining([
        'GET /api/v2/sessions',
        'GET /resonant_loop_lab.html',
        'GET /v1/models',
        'GET /v2/chat/completions',
        'OPTIONS /v1/chat/completions',
        'POST /api/v2/sessions',
        'POST /v1/chat/completions paid',
        'POST /v2/chat/completions paid',
      ]),
    );
    expect(Object.fromEntries(whatWasRead(read))).toMatchObject({
      'fetch, JSON': SECRET,
      'fetch, text/plain': SECRET,
      'fetch, reading': SECRET,
      XMLHttpRequest: SECRET,
      worker: SECRET,
    });
    const rebound = await attackByRebinding(`http://rebound.example:${String(port)}`);
    expect(Object.fromEntries(whatWasRead(rebound))).toMatchObject({
      'iframe of the memory': SECRET,
      'window of the memory': SECRET,
      'form, text/plain': SECRET,
    });
  });

  it.each([
    ['another site', 'evil.example', '127.0.0.1'],
    ['another site, by this machine’s name', 'evil.example', 'localhost'],
    ['another port of this machine', '127.0.0.1', '127.0.0.1'],
    ['another site, by the address of every interface', 'evil.example', '0.0.0.0'],
  ])('from %s reads nothing and spends nothing', async (_what, from, to) => {
    const victim = await startVictim();
    const evil = await serve(hostile);
    const target = `http://${to}:${String(victim.port)}`;
    const read = await attackFrom(`http://${from}:${String(evil)}/?target=${target}`);
    expect(whatWasRead(read)).toEqual([]);
    expect(Object.values(read).filter((text) => text !== null)).toEqual([]);
    expect(victim.upstream.calls.map(({ method, path }) => `${method} ${path}`)).toEqual([]);
    expect(await victim.sessions()).toBe(1);
    expect(victim.letIn()).toEqual([]);
  });

  it('may link to the lab, and sees nothing of it', async () => {
    const victim = await startVictim();
    const evil = await serve(hostile);
    const page = await browser.newPage();
    await page.goto(`http://evil.example:${String(evil)}/?target=${victim.url}`);
    const [lab, read] = await Promise.all([
      page.waitForEvent('popup'),
      page.evaluate<string | null>('openLab()'),
    ]);
    expect(read).toBeNull();
    await lab.close().catch(() => undefined);
    await page.close();
    expect(victim.letIn()).toContain('GET other 200');
    expect(victim.upstream.calls.filter(({ method }) => method !== 'GET')).toEqual([]);
  });

  it('by a name that was rebound to this machine reads nothing and spends nothing', async () => {
    const victim = await startVictim();
    const read = await attackByRebinding(`http://rebound.example:${String(victim.port)}`);
    expect(whatWasRead(read)).toEqual([]);
    expect(victim.upstream.calls.map(({ method, path }) => `${method} ${path}`)).toEqual([]);
    expect(await victim.sessions()).toBe(1);
    // Same origin to the browser, so it may read the refusals. They are all there is.
    expect(victim.letIn()).toEqual([]);
    expect(victim.log.filter((line) => line.includes('"status":403')).length).toBeGreaterThan(20);
  });
});
