import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { launchBrowser } from './lab-page.ts';
import { startServerProcess, type RunningServer } from '../support/server-process.ts';
import { startUpstream, type Upstream } from '../support/upstream.ts';

const SECRET = 'the safe opens with the marigold';
const REBOUND = 'rebound.example';

/** A person has this server running and opens a page of somebody else in the same browser. */
describe('a hostile page in a real browser', () => {
  let upstream: Upstream;
  let server: RunningServer;
  let elsewhere: Server;
  let browser: Browser;
  let page: Page;
  /** Calls that had come to the upstream before, and those that a test's own lab makes. */
  let asked: number;
  let mayAsk: string[];
  let session: { id: string; conversationId: string };

  beforeAll(async () => {
    upstream = await startUpstream();
    server = await startServerProcess({
      env: {
        OPENAI_BASE_URL: upstream.baseUrl,
        OPENAI_API_KEY: 'sk-the-paid-key',
        // The server's own background work would ask the upstream too.
        CCC_CAUSAL_MAX_CALLS_PER_MINUTE: '0',
      },
    });
    elsewhere = createServer((_req, res) => {
      res.setHeader('content-type', 'text/html').end('<title>Free recipes</title>');
    });
    await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
    // What a name server of the attacker's would answer the second time it is asked.
    browser = await launchBrowser([
      `--host-resolver-rules=MAP ${REBOUND} 127.0.0.1`,
      // Newer browsers keep foreign pages from this machine by themselves. Older ones and others do not.
      '--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests,PrivateNetworkAccessSendPreflights',
    ]);
  });
  beforeEach(async () => {
    const { session_id: id } = await ask<{ session_id: string }>('POST', '/api/v2/sessions', {});
    const { conversation_id: conversationId } = await ask<{ conversation_id: string }>(
      'POST',
      '/api/v2/conversations',
      { session_id: id, directive: SECRET },
    );
    session = { id, conversationId };
    page = await browser.newPage();
    asked = upstream.calls.length;
    mayAsk = [];
  });
  afterEach(async () => {
    await page.close();
    // Nothing was spent, nothing was written, nothing is gone.
    const calls = upstream.calls.slice(asked).map(({ path }) => path);
    expect(calls.filter((path) => !mayAsk.includes(path))).toEqual([]);
    const now = await ask<{ total_turns: number; status: string }>('GET', `/api/v2/sessions/${session.id}`);
    expect(now).toMatchObject({ total_turns: 1, status: 'active' });
  });
  afterAll(async () => {
    await browser.close();
    await server.stop();
    await upstream.close();
    elsewhere.close();
  });

  /** The person's own way to the server. */
  async function ask<T>(method: string, path: string, body?: object): Promise<T> {
    const response = await fetch(server.url + path, {
      method,
      ...(body ? { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) } : {}),
    });
    return (await response.json()) as T;
  }

  /** Every request that a page can make by script, readable or not. What it could read comes back. */
  const tryRequests = (base: string) =>
    page.evaluate(
      async ({ base, id, conversationId }) => {
        const chat = JSON.stringify({
          model: 'm',
          session_id: id,
          messages: [{ role: 'user', content: 'Spend.' }],
        });
        const turn = JSON.stringify({ agent: 'wykeve', content: 'planted' });
        const tries: [string, RequestInit][] = [
          ['/api/v2/sessions', {}],
          [`/api/v2/sessions/${id}`, { credentials: 'include' }],
          [`/api/v2/conversations/${conversationId}`, {}],
          [`/api/v2/sessions/${id}/export`, { method: 'POST' }],
          [`/api/v2/sessions/${id}`, { method: 'DELETE' }],
          [`/api/v2/sessions/${id}/archive`, { method: 'POST' }],
          ['/metrics', {}],
          ['/v1/models', {}],
          ['/v2/models', {}],
          ['/v1/chat/completions', { method: 'POST', body: chat }],
          [
            '/v1/chat/completions',
            { method: 'POST', body: chat, headers: { 'content-type': 'application/json' } },
          ],
          ['/v2/chat/completions', { method: 'POST', body: chat, headers: { 'content-type': 'text/plain' } }],
          ['/v2/chat/completions', { method: 'POST', body: new URLSearchParams({ chat }) }],
          [`/api/v2/conversations/${conversationId}/turns`, { method: 'POST', body: turn }],
          [`/api/v2/sessions/${id}/cycles`, { method: 'POST', body: '{"directive":"Spend."}' }],
        ];
        const read: string[] = [];
        for (const [path, init] of tries) {
          for (const mode of ['cors', 'no-cors', 'same-origin'] as const) {
            try {
              const response = await fetch(base + path, { ...init, mode });
              read.push(`${String(response.status)} ${await response.text()}`);
            } catch {
              // Refused by the browser: so it should be.
            }
          }
        }
        navigator.sendBeacon(`${base}/v1/chat/completions`, chat);
        navigator.sendBeacon(`${base}/v2/chat/completions`, new Blob([chat], { type: 'text/plain' }));
        return read;
      },
      { base, ...session },
    );

  /** What a page can make the browser fetch without any script of its own seeing the answer. */
  const tryElements = (base: string) =>
    page.evaluate(
      async ({ base, id }) => {
        const settled = (element: HTMLElement) =>
          new Promise<string>((resolve) => {
            element.addEventListener('load', () => resolve('loaded'));
            element.addEventListener('error', () => resolve('refused'));
            setTimeout(() => resolve('nothing'), 1_500);
            document.body.append(element);
          });
        const make = (tag: string, attributes: Record<string, string>) => {
          const element = document.createElement(tag);
          for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
          return element;
        };
        const loaded = await Promise.all([
          settled(make('img', { src: `${base}/v1/models` })),
          settled(make('script', { src: `${base}/api/v2/sessions` })),
          settled(make('link', { rel: 'stylesheet', href: `${base}/api/v2/sessions/${id}` })),
          settled(make('object', { data: `${base}/api/v2/sessions/${id}` })),
        ]);
        const frame = make('iframe', { name: 'frame', src: `${base}/?session=${id}` }) as HTMLIFrameElement;
        await settled(frame);
        let seen = '';
        try {
          seen = frame.contentDocument?.body.innerText ?? '';
        } catch {
          // Another origin.
        }
        for (const enctype of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
          const form = make('form', {
            method: 'post',
            enctype,
            target: 'frame',
            action: `${base}/v2/chat/completions`,
          }) as HTMLFormElement;
          form.append(
            make('input', {
              name: `{"model":"m","session_id":"${id}","messages":[{"role":"user","content":"Spend. `,
              value: '"}]}',
            }),
          );
          document.body.append(form);
          form.submit();
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
        const channels = await Promise.all([
          new Promise<string>((resolve) => {
            const source = new EventSource(`${base}/api/v2/cycles/cyc_none/events`);
            source.onopen = () => resolve('open');
            source.onerror = () => (source.close(), resolve('refused'));
          }),
          new Promise<string>((resolve) => {
            const socket = new WebSocket(`${base.replace('http', 'ws')}/v1/realtime`);
            socket.onopen = () => resolve('open');
            socket.onerror = () => resolve('refused');
          }),
        ]);
        return { loaded, seen, channels };
      },
      { base, id: session.id },
    );

  describe('on another origin', () => {
    beforeEach(async () => {
      await page.goto(`http://127.0.0.1:${String((elsewhere.address() as AddressInfo).port)}/`);
    });

    it('reads nothing and spends nothing by any request that a script can make', async () => {
      const read = await tryRequests(server.url);
      // An opaque answer has no status and no text: all that a page may have.
      expect(read.filter((answer) => answer !== '0 ')).toEqual([]);
    });

    it('embeds nothing, posts no form, opens no channel', async () => {
      const { loaded, seen, channels } = await tryElements(server.url);
      expect(loaded.filter((came) => came === 'loaded')).toEqual([]);
      expect(seen).not.toContain('Lab');
      expect(channels).toEqual(['refused', 'refused']);
    });

    it('opens the lab in a window, as a link would, and cannot look into it', async () => {
      // The lab itself asks for the names of models, as it does for the person.
      mayAsk = ['/models'];
      upstream.on('/models', (res) => res.end('{"data":[]}'));
      const opened = page.waitForEvent('popup');
      const seen = await page.evaluate(async (address) => {
        const other = window.open(address);
        await new Promise((resolve) => setTimeout(resolve, 800));
        try {
          return other?.document.body.innerText ?? 'no handle';
        } catch {
          return 'no access';
        }
      }, `${server.url}/?session=${session.id}`);
      expect(['no access', 'no handle']).toContain(seen);
      await (await opened).close();
    });
  });

  describe('under a name of its own that now leads to this machine', () => {
    const base = () => `http://${REBOUND}:${String(server.port)}`;

    beforeEach(async () => {
      // Its first answer came from the attacker's machine; from here on the name is this server's address.
      await page.route(`${base()}/recipes`, (route) =>
        route.fulfill({ contentType: 'text/html', body: '<title>Free recipes</title>' }),
      );
      await page.goto(`${base()}/recipes`);
    });

    it('is of the same origin for the browser, and is refused by its name', async () => {
      const read = await tryRequests(base());
      expect(read.length).toBeGreaterThan(30);
      expect(read.filter((answer) => !/^403 .*host_not_allowed/.test(answer))).toEqual([]);
    });

    it('embeds nothing, posts no form, opens no channel', async () => {
      const { loaded, seen, channels } = await tryElements(base());
      expect(loaded.filter((came) => came === 'loaded')).toEqual([]);
      expect(seen).not.toContain('Lab');
      expect(channels).toEqual(['refused', 'refused']);
    });
  });
});
