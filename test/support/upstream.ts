import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { performance } from 'node:perf_hooks';
import { failure } from './upstream-replies.ts';

export * from './upstream-replies.ts';

/** One request as the upstream saw it. */
export interface UpstreamCall {
  method: string;
  /** Below the API root, with the query: `/chat/completions`. */
  path: string;
  headers: IncomingHttpHeaders;
  /** The body's text, byte for byte as it came. */
  body: string;
  /** The body as JSON; null when there is none or it is not JSON. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- tests reach into it freely
  json: any;
  /** When it had arrived, by `performance.now()`. */
  at: number;
  /** When the caller hung up before the answer was complete, by `performance.now()`; null while it has not. */
  abortedAt: number | null;
  /** Resolves with `abortedAt` when the caller hangs up before the answer is complete; never otherwise. */
  aborted: Promise<number>;
}

/** Answers one call. Once it is done the answer must be on its way, or, for one that hangs, deliberately not be. */
export type UpstreamReply = (res: ServerResponse, call: UpstreamCall) => unknown;

/** Which calls are meant: a path (without query), a test of one's own, or null for any call. */
export type UpstreamMatcher = string | ((call: UpstreamCall) => boolean) | null;

export interface Upstream {
  /** The API root, ends in `/v1`. */
  readonly baseUrl: string;
  /** Every call that came, in order, unexpected ones included. */
  readonly calls: UpstreamCall[];
  /** Expects one call. Of those still waiting the first that matches is used up. Returns itself, to be chained. */
  expect(matcher: UpstreamMatcher, reply: UpstreamReply): Upstream;
  /** Answers any number of calls that no expectation took; of several rules that match, the newest. */
  on(matcher: UpstreamMatcher, reply: UpstreamReply): Upstream;
  /** Resolves with the call of that number (from 1) as soon as it has come. */
  call(number: number): Promise<UpstreamCall>;
  /** @throws when an expected call was not made, one came that nobody expected, or a reply itself failed. */
  assertComplete(): void;
  /** Hangs up on everyone and frees the port. */
  close(): Promise<void>;
}

/**
 * A scripted server that plays an OpenAI-compatible API on 127.0.0.1: it records every call and answers by what the
 * test said beforehand. A call that nobody expected gets a 500 that says so and makes `assertComplete` throw, so a
 * test cannot pass by luck.
 *
 *     const upstream = await startUpstream();
 *     upstream
 *       .expect('/chat/completions', failure(429, {}, { 'retry-after': '1' }))
 *       .expect('/chat/completions', completion({ content: 'Hello.' }));
 *     ... // point a provider or a client at upstream.baseUrl
 *     upstream.assertComplete();
 *     await upstream.close();
 *
 * A covenant cycle is scripted by the role in its prompts: `upstream.on(role('verdict'), completion({ content }))`.
 * A reply may be a function of its own: `(res, call) => ...` on node's response.
 */
export async function startUpstream(): Promise<Upstream> {
  const calls: UpstreamCall[] = [];
  const expected: { matcher: UpstreamMatcher; reply: UpstreamReply }[] = [];
  const rules: { matcher: UpstreamMatcher; reply: UpstreamReply }[] = [];
  const problems: string[] = [];
  const waiting = new Map<number, ((call: UpstreamCall) => void)[]>();

  const replyTo = (call: UpstreamCall): UpstreamReply => {
    const at = expected.findIndex(({ matcher }) => matches(matcher, call));
    if (at !== -1) return (expected.splice(at, 1)[0] as { reply: UpstreamReply }).reply;
    const rule = rules.findLast(({ matcher }) => matches(matcher, call));
    if (rule) return rule.reply;
    const problem = `unexpected call: ${call.method} ${call.path} ${call.body.slice(0, 300)}`;
    problems.push(problem);
    return failure(500, { message: problem }, { 'x-should-retry': 'false' });
  };

  const server = createServer((req, res) => {
    const parts: Buffer[] = [];
    req.on('error', () => undefined);
    req.on('data', (part: Buffer) => parts.push(part));
    req.on('end', () => {
      const body = Buffer.concat(parts).toString('utf8');
      const { method = '', url = '', headers } = req;
      const call = newCall({ method, path: url.replace(/^\/v1(?=\/|$)/, ''), headers, body }, res);
      const reply = replyTo(call);
      calls.push(call);
      for (const resolve of waiting.get(calls.length) ?? []) resolve(call);
      Promise.resolve()
        .then(() => reply(res, call))
        .catch((error: unknown) => {
          problems.push(`the reply to ${method} ${url} failed: ${String(error)}`);
          res.destroy();
        });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  const upstream: Upstream = {
    baseUrl: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/v1`,
    calls,
    expect(matcher, reply) {
      expected.push({ matcher, reply });
      return upstream;
    },
    on(matcher, reply) {
      rules.push({ matcher, reply });
      return upstream;
    },
    call: (number) =>
      new Promise((resolve) => {
        const there = calls[number - 1];
        if (there) resolve(there);
        else waiting.set(number, [...(waiting.get(number) ?? []), resolve]);
      }),
    assertComplete() {
      const missing = expected.map(({ matcher }) => `expected call that never came: ${nameOf(matcher)}`);
      const all = [...problems, ...missing];
      if (all.length > 0) throw new Error(`The upstream's script was not followed:\n${all.join('\n')}`);
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
  return upstream;
}

/** Calls of the covenant cycle for one of its roles, by the line `CCC-Role: …` in a system message. */
export function role(name: string): (call: UpstreamCall) => boolean {
  const line = new RegExp(`^CCC-Role: ${name}$`, 'm');
  return (call) => {
    const messages =
      (call.json as { messages?: { role?: unknown; content?: unknown }[] } | null)?.messages ?? [];
    return messages.some(
      (message) =>
        (message.role === 'system' || message.role === 'developer') &&
        typeof message.content === 'string' &&
        line.test(message.content),
    );
  };
}

function newCall(
  given: Pick<UpstreamCall, 'method' | 'path' | 'headers' | 'body'>,
  res: ServerResponse,
): UpstreamCall {
  let json: unknown = null;
  try {
    json = JSON.parse(given.body);
  } catch {
    // Not JSON: `body` says what it was.
  }
  const call: UpstreamCall = {
    ...given,
    json,
    at: performance.now(),
    abortedAt: null,
    aborted: new Promise((resolve) => {
      res.once('close', () => {
        // A reply that breaks off on purpose has ended the connection itself.
        if (res.writableFinished || res.destroyedByScript) return;
        call.abortedAt = performance.now();
        resolve(call.abortedAt);
      });
    }),
  };
  return call;
}

function matches(matcher: UpstreamMatcher, call: UpstreamCall): boolean {
  if (matcher === null) return true;
  if (typeof matcher === 'function') return matcher(call);
  return call.path.split('?', 1)[0] === matcher;
}

function nameOf(matcher: UpstreamMatcher): string {
  return typeof matcher === 'function' ? matcher.toString() : (matcher ?? 'any');
}
