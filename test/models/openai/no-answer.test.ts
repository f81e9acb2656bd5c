import { createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { asUpstreamError } from '../../../src/models/openai/as-upstream-error.ts';
import { noAnswer } from '../../../src/models/openai/no-answer.ts';
import { createOpenAiProvider } from '../../../src/models/openai/openai-provider.ts';
import type { ChatProvider } from '../../../src/models/provider.ts';
import { errorForLog, UpstreamError } from '../../../src/models/upstream-error.ts';
import { hang, startUpstream } from '../../support/upstream.ts';

const { signal } = new AbortController();
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** The address of something that listens and is no upstream. */
async function listener(onConnection: (socket: Socket) => void): Promise<string> {
  const server: Server = createServer(onConnection);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  closing.push(() => server.close());
  return `127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}

async function closedPort(): Promise<string> {
  const at = await listener(() => undefined);
  await closing.pop()?.();
  return at;
}

/** What both ways to the upstream say: the relay of `/v1`, and the calls that CCC makes itself. */
async function both(baseUrl: string, timeoutMs = 2_000) {
  const settings = { baseUrl, apiKey: 'sk-server-0123456789', model: 'm', timeoutMs, maxRetries: 0 };
  const provider: ChatProvider = createOpenAiProvider(settings);
  closing.push(() => provider.close());
  const request = { method: 'POST', path: '/chat/completions', headers: {}, body: Buffer.from('{}') };
  const failures = await Promise.allSettled([
    provider.forward(request, signal),
    provider.chat({ model: 'm', messages: [] }, { signal }),
  ]);
  return failures.map((one) => (one as PromiseRejectedResult).reason as Error);
}

describe('an upstream that gives no answer', () => {
  it('is named by its origin and the cause, alike to who is passed through and in calls of CCC', async () => {
    const at = await closedPort();
    const [relayed, called] = await both(
      `http://me:pass-word-in-it@${at}/secret-path/v1?api-key=in-the-query`,
    );
    expect(relayed).toMatchObject({ code: 'upstream_unreachable', status: 502 });
    expect(called).toMatchObject({ status: 502, error: { code: 'upstream_unreachable', type: 'api_error' } });
    const message =
      `The upstream could not be reached: nothing answers at http://${at} (ECONNREFUSED). ` +
      'Is it running, and is OPENAI_BASE_URL right?';
    expect([relayed?.message, called?.message]).toEqual([message, message]);
    expect(errorForLog(called)).toMatchObject({
      upstream_status: 502,
      upstream_code: 'upstream_unreachable',
      err: { cause: { code: 'ECONNREFUSED' } },
    });
  });

  it('may be a name that nobody knows', async () => {
    for (const { message } of await both('http://no-such-host.invalid/v1')) {
      expect(message).toMatch(
        /: the name in http:\/\/no-such-host\.invalid is not known \((?:ENOTFOUND|EAI_AGAIN)\)\. Is OPENAI_BASE_URL right\?$/,
      );
    }
  });

  it.each([
    ['hangs up', (socket: Socket) => socket.destroy(), /closed the connection before it answered \(\w+\)\./],
    [
      'is not HTTP',
      (socket: Socket) => socket.end('SSH-2.0-x\r\n'),
      /: what answers at \S+ is not HTTP \(HTTPP/,
    ],
  ])('may be one that %s', async (_what, onConnection, words) => {
    const at = await listener(onConnection);
    for (const { message } of await both(`http://${at}/v1`)) expect(message).toMatch(words);
  });

  it('may be one that speaks http where https was asked for', async () => {
    const upstream = await startUpstream();
    closing.push(() => upstream.close());
    for (const { message } of await both(upstream.baseUrl.replace('http:', 'https:'))) {
      expect(message).toMatch(/: no TLS connection to https:\/\/\S+ comes about \(ERR_SSL_\w+\)\./);
    }
  });

  it('may have a port that calls of CCC are not let out to', async () => {
    const [, called] = await both('http://127.0.0.1:9/v1');
    expect(called?.message).toContain('the port of http://127.0.0.1:9 is not one for HTTP (bad port). Is');
  });

  it('may be silent: that is a time-out in both', async () => {
    const upstream = await startUpstream();
    closing.push(() => upstream.close());
    upstream.on(null, hang());
    const [relayed, called] = await both(upstream.baseUrl, 1_000);
    expect(relayed).toMatchObject({ code: 'upstream_timeout', status: 504 });
    expect(called).toMatchObject({ status: 504, error: { code: 'upstream_timeout' } });
  });

  it.each([
    ['ECONNREFUSED', 'nothing answers at https://up (ECONNREFUSED)'],
    ['UND_ERR_CONNECT_TIMEOUT', 'https://up took no connection in time (UND_ERR_CONNECT_TIMEOUT)'],
    ['ENETUNREACH', 'no way leads to https://up (ENETUNREACH)'],
    [
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      'the certificate of https://up is not accepted (DEPTH_ZERO_SELF_SIGNED_CERT)',
    ],
    [
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      'the certificate of https://up is not accepted (UNABLE_TO_VERIFY_LEAF_',
    ],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'the certificate of https://up is not accepted (ERR_TLS_CERT_ALTNAME_'],
    ['HPE_INVALID_CONSTANT', 'what answers at https://up is not HTTP (HPE_INVALID_CONSTANT)'],
    ['EODD', 'the call to https://up failed (EODD)'],
  ])('with the code %s says in words what that means', (code, words) => {
    const cause = Object.assign(new Error('the words of the error are not shown'), { code });
    const error = noAnswer(new TypeError('fetch failed', { cause }), 'https://up');
    expect(error.message).toContain(`The upstream could not be reached: ${words}`);
    expect(error.message).not.toContain('not shown');
  });

  it('with several addresses is told by the first, and without any code still by where it is', () => {
    const refused = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
    expect(noAnswer(new AggregateError([refused]), 'http://up').message).toContain('(ECONNREFUSED)');
    expect(noAnswer('odd', 'http://up').message).toContain('the call to http://up failed. Is it running');
  });
});

describe('the log', () => {
  it("has of an upstream's error no words: they may quote what was said", () => {
    const said = new UpstreamError(500, { message: 'You said: my diary', code: 'odd' });
    expect(errorForLog(asUpstreamError(said, { origin: 'http://up', secrets: [] }))).toEqual({
      upstream_status: 500,
      upstream_code: 'odd',
    });
  });
});
