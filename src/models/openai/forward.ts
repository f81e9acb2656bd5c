import { Agent, errors, type Dispatcher } from 'undici';
import { CccError } from '../../base/ccc-error.ts';
import type { ForwardRequest, ForwardResponse } from '../provider.ts';

/** Headers that belong to one connection (RFC 9110, 7.6.1) and those that the answer's own framing replaces. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'expect',
]);

/** Headers of a client that must never reach the upstream: its credentials here are not the upstream's. */
const CLIENT_ONLY = new Set(['host', 'authorization', 'api-key', 'x-api-key', 'cookie', 'origin', 'referer']);

export interface Forwarder {
  forward(request: ForwardRequest, signal: AbortSignal): Promise<ForwardResponse>;
  close(): Promise<void>;
}

/**
 * Passes requests to one API root over kept-alive connections: bytes up, bytes down, never tried twice. `undici`
 * itself rather than `fetch`, which costs three times as much for each request (measured, see docs/benchmarks.md).
 */
export function createForwarder(options: {
  baseUrl: URL;
  apiKey: string | undefined;
  timeoutMs: number;
}): Forwarder {
  const { baseUrl, apiKey, timeoutMs } = options;
  const root = baseUrl.pathname.replace(/\/$/, '');
  const agent = new Agent({
    headersTimeout: timeoutMs,
    // Time between two parts of a body: a model may think for long, but not longer than a whole call may take.
    bodyTimeout: timeoutMs,
    connectTimeout: Math.min(timeoutMs, 10_000),
  });
  return {
    async forward(request, signal) {
      const headers = upstreamHeaders(request.headers);
      if (apiKey) headers['authorization'] = `Bearer ${apiKey}`;
      let answer: Dispatcher.ResponseData;
      try {
        answer = await agent.request({
          origin: baseUrl.origin,
          path: root + request.path,
          method: request.method as Dispatcher.HttpMethod,
          headers,
          body: request.body,
          signal,
        });
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        throw unreachable(error);
      }
      return { status: answer.statusCode, headers: answerHeaders(answer.headers), body: answer.body };
    },
    close: () => agent.destroy(),
  };
}

function upstreamHeaders(headers: Record<string, string>): Record<string, string> {
  const named = connectionNames(headers['connection']);
  return Object.fromEntries(
    Object.entries(headers).filter(
      ([name]) => !HOP_BY_HOP.has(name) && !CLIENT_ONLY.has(name) && !named.has(name),
    ),
  );
}

function answerHeaders(
  headers: Record<string, string | string[] | undefined>,
): Record<string, string | string[]> {
  const named = connectionNames(headers['connection']);
  const kept: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    // A cookie of the upstream is the upstream's business with this server, not with its clients.
    if (value === undefined || HOP_BY_HOP.has(name) || named.has(name) || name === 'set-cookie') continue;
    kept[name] = value;
  }
  return kept;
}

function connectionNames(value: string | string[] | undefined): Set<string> {
  const text = Array.isArray(value) ? value.join(',') : (value ?? '');
  return new Set(text.split(',').map((name) => name.trim().toLowerCase()));
}

function unreachable(error: unknown): unknown {
  // A request body that fails while it is being sent (too large, client gone) is its sender's error, not the upstream's.
  if (error instanceof CccError) return error;
  if (error instanceof errors.HeadersTimeoutError || error instanceof errors.BodyTimeoutError) {
    return new CccError('upstream_timeout', undefined, { cause: error });
  }
  return new CccError('upstream_unreachable', undefined, { cause: error });
}
