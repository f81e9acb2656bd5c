import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CccError } from '../../src/base/ccc-error.ts';
import { ERROR_CODES } from '../../src/base/error-codes.ts';
import { PROJECT_ROOT } from '../../src/base/project-root.ts';
import { errorOf, rawExchange, rawRequest, startApp } from './support.ts';

describe('every answer', () => {
  it("carries an id: the client's own when it is sane, else a new one", async () => {
    const { url } = await startApp();
    const idFor = async (given?: string) => {
      const response = await fetch(`${url}/health`, { headers: given ? { 'x-request-id': given } : {} });
      return response.headers.get('x-request-id');
    };
    expect(await idFor('my-id:1.2_3')).toBe('my-id:1.2_3');
    expect(await idFor()).toMatch(/^req_[0-9a-f-]{36}$/);
    expect(await idFor('two words')).toMatch(/^req_/);
    expect(await idFor('x'.repeat(129))).toMatch(/^req_/);
  });

  it('carries the headers that keep a page in its place', async () => {
    const { url } = await startApp();
    for (const path of ['/', '/health', '/nowhere']) {
      const { headers } = await fetch(`${url}${path}`);
      expect(headers.get('content-security-policy')?.split(';').sort()).toEqual([
        "base-uri 'none'",
        "connect-src 'self'",
        "default-src 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "img-src 'self' data:",
        "require-trusted-types-for 'script'",
        "script-src 'self'",
        "style-src 'self'",
        "worker-src 'self'",
      ]);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('x-frame-options')).toBe('DENY');
      expect(headers.get('x-powered-by')).toBeNull();
    }
  });

  it('leaves one line in the log, with the pattern of its route and nothing of what was said', async () => {
    const log: string[] = [];
    const { url } = await startApp({ log });
    await fetch(`${url}/v2/sessions/sess_secret/models?key=hidden`, {
      headers: { authorization: 'Bearer x' },
    });
    await fetch(`${url}/nowhere/at-all?key=hidden`, { method: 'POST', body: 'hidden' });
    await expect.poll(() => log.filter((line) => line.includes('"msg":"request"'))).toHaveLength(2);
    const [known, unknown] = log
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter((line) => line['msg'] === 'request');
    expect(known).toMatchObject({ method: 'GET', route: '/v2/sessions/:sessionId/models', status: 502 });
    expect(unknown).toMatchObject({ method: 'POST', route: 'other', status: 404 });
    expect(log.join('')).not.toMatch(/hidden|sess_secret|Bearer/);
  });
});

describe('what is not there', () => {
  it.each([
    ['GET', '/nowhere', 404, 'unknown_route'],
    ['POST', '/v1/images/generations', 404, 'unknown_route'],
    ['GET', '/v1', 404, 'unknown_route'],
    ['GET', '/v1/chat/completions', 405, 'method_not_allowed'],
    ['DELETE', '/v1/models/gpt', 405, 'method_not_allowed'],
    ['POST', '/health', 405, 'method_not_allowed'],
    ['PUT', '/v2/chat/completions', 405, 'method_not_allowed'],
    ['BREW', '/health', 400, 'invalid_request'],
    ['GET', '/../package.json', 404, 'unknown_route'],
    ['GET', '/..%2fpackage.json', 404, 'unknown_route'],
    ['GET', '/assets/..%2f..%2fpackage.json', 404, 'unknown_route'],
    ['GET', '/.env', 404, 'unknown_route'],
    ['GET', '/%00', 404, 'unknown_route'],
    ['GET', '/v1/models/..%2Fsecrets', 404, 'unknown_route'],
    ['GET', '/v1/models/..', 404, 'unknown_route'],
    ['GET', '/v2/sessions/%ff/models', 400, 'invalid_request'],
  ])('%s %s is %i %s, in the contract’s shape', async (method, path, status, code) => {
    const { port } = await startApp();
    const host = `localhost:${String(port)}`;
    const answer = await rawRequest(port, { method, path, headers: { host } });
    expect(answer.status).toBe(status);
    expect(errorOf(answer.body)).toMatchObject({ code, type: 'invalid_request_error', param: null });
    expect(answer.head).toContain('content-type: application/json');
  });

  it('says with a wrong method which ones there are', async () => {
    const { url } = await startApp();
    const wrong = await fetch(`${url}/v1/chat/completions`);
    expect(wrong.headers.get('allow')).toBe('POST, OPTIONS');
    const asked = await fetch(`${url}/v1/models`, { method: 'OPTIONS' });
    expect(asked.status).toBe(204);
    expect(asked.headers.get('allow')).toBe('HEAD, GET, OPTIONS');
  });

  it('has nothing in the body of an answer to HEAD', async () => {
    const { port } = await startApp();
    const answer = await rawRequest(port, {
      method: 'HEAD',
      path: '/nowhere',
      headers: { host: `localhost:${String(port)}` },
    });
    expect(answer).toMatchObject({ status: 404, body: '' });
  });
});

describe('a fault of this server', () => {
  const secret = 'SELECT key FROM /home/someone';
  const counts = () => Promise.reject(new TypeError(secret));
  const broken = {
    maintenance: { counts },
    reindex: { outdated: counts },
    causal: { counts },
    jobs: { counts },
    cycles: { counts },
  };

  it('says that it is one, tells no detail, and leaves the detail in the log under the same id', async () => {
    const log: string[] = [];
    const { url } = await startApp({ log, parts: { dal: broken as never } });
    const response = await fetch(`${url}/api/v2/status`);
    expect(response.status).toBe(500);
    const text = await response.text();
    expect(errorOf(text)).toMatchObject({ code: 'internal_error', type: 'api_error' });
    expect(text).not.toContain(secret);
    const line = log.find((entry) => entry.includes(secret));
    expect(line).toContain(response.headers.get('x-request-id'));
  });
});

describe('what is not HTTP', () => {
  it.each([
    ['nonsense', 'nonsense\r\n\r\n', 400, 'invalid_request'],
    [
      'a header bomb',
      `GET / HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`,
      431,
      'headers_too_large',
    ],
    [
      'two lengths of one body',
      'POST /v1/embeddings HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
      'invalid_request',
    ],
  ])('%s is answered in the same shape', async (_what, bytes, status, code) => {
    const { port } = await startApp();
    const text = await rawExchange(port, bytes);
    const [head = '', body = ''] = text.split('\r\n\r\n', 2);
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${String(status)} `));
    expect(errorOf(body).code).toBe(code);
    expect(head).toContain('x-content-type-options: nosniff');
    expect(head).toContain("content-security-policy: default-src 'none'");
  });
});

describe('the page', () => {
  it('is at / and at its name, asked for again each time, cheaply', async () => {
    const { url, port } = await startApp();
    const first = await fetch(`${url}/`);
    expect(first.headers.get('content-type')).toMatch(/^text\/html/);
    expect(first.headers.get('cache-control')).toBe('no-cache');
    const etag = first.headers.get('etag') ?? '';
    // Not with fetch, which adds `cache-control: no-cache` of its own.
    const again = await rawRequest(port, {
      path: '/',
      headers: { host: `localhost:${String(port)}`, 'if-none-match': etag },
    });
    expect(again.status).toBe(304);
    const named = await fetch(`${url}/resonant_loop_lab.html`);
    expect(await named.text()).toBe(await first.text());
  });
});

describe('the table of errors', () => {
  it('is the same in the code and in docs/errors.md', async () => {
    const text = await readFile(join(PROJECT_ROOT, 'docs/errors.md'), 'utf8');
    const rows = [...text.matchAll(/^\| `(\w+)` +\| (\d+) +\| `(\w+)` +\| (.*?) +\|$/gm)].map(
      ([, code, status, type, meaning]) => [code, { status: Number(status), type, meaning }],
    );
    expect(Object.fromEntries(rows)).toEqual(ERROR_CODES);
  });

  it('gives each error its status and body', () => {
    const error = new CccError('invalid_request', 'turns.0.agent: wrong', { param: 'turns.0.agent' });
    expect(error.status).toBe(400);
    expect(error.toBody()).toEqual({
      error: {
        message: 'turns.0.agent: wrong',
        type: 'invalid_request_error',
        code: 'invalid_request',
        param: 'turns.0.agent',
      },
    });
  });
});
