import { Transform, type Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { CccError } from '../../base/ccc-error.ts';
import type { ForwardRequest, ForwardResponse } from '../provider.ts';
import { noAnswer } from './no-answer.ts';
import { BEFORE, longestOf, overwrite, type Secret } from './secrets.ts';
import type { UpstreamAddress } from './upstream-address.ts';

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

export type Forward = (request: ForwardRequest, signal: AbortSignal) => Promise<ForwardResponse>;

/**
 * Passes requests to one API root over kept-alive connections: bytes up, bytes down, never tried twice. `undici`
 * itself rather than `fetch`, which costs three times as much for each request (measured, see docs/benchmarks.md).
 */
export function createForward(address: UpstreamAddress, dispatcher: Dispatcher): Forward {
  return async (request, signal) => {
    signal.throwIfAborted();
    const headers = upstreamHeaders(request.headers);
    if (address.authorization !== null) headers['authorization'] = address.authorization;
    let answer: Dispatcher.ResponseData;
    try {
      answer = await dispatcher.request({
        origin: address.origin,
        path: withQuery(address.root + request.path, address.query),
        method: request.method as Dispatcher.HttpMethod,
        headers,
        body: request.body,
        signal,
      });
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      // A request body that fails while it is being sent (too large, client gone) is its sender's error, not the upstream's.
      throw error instanceof CccError ? error : noAnswer(error, address.origin);
    }
    return {
      status: answer.statusCode,
      headers: answerHeaders(answer.headers),
      body: answer.statusCode >= 400 ? withoutSecrets(answer, address.secrets) : answer.body,
    };
  };
}

function withQuery(path: string, query: Record<string, string>): string {
  const own = new URLSearchParams(query).toString();
  if (own === '') return path;
  return `${path}${path.includes('?') ? '&' : '?'}${own}`;
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

/**
 * An error's body with the server's own secrets overwritten, asterisk for byte, so that lengths stay. Some servers
 * quote the key they refuse. A compressed body cannot be read here and passes as it is; answers that are no errors
 * are never touched.
 */
function withoutSecrets({ body, headers }: Dispatcher.ResponseData, secrets: readonly Secret[]): Readable {
  const encoding = headers['content-encoding'] ?? 'identity';
  if (secrets.length === 0 || encoding !== 'identity') return body;
  const longest = longestOf(secrets);
  let held: Buffer = Buffer.alloc(0);
  let before: Buffer = held;
  const masking = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const bytes = Buffer.concat([held, chunk]);
      overwrite(bytes, secrets, before, false);
      // What could be the beginning of a secret waits for its end, a whole one for what comes behind it.
      const sure = bytes.subarray(0, Math.max(0, bytes.length - longest));
      held = bytes.subarray(sure.length);
      before = Buffer.concat([before, sure.subarray(-BEFORE)]).subarray(-BEFORE);
      done(null, sure);
    },
    flush(done) {
      overwrite(held, secrets, before);
      done(null, held);
    },
  });
  body.once('error', (error) => masking.destroy(error));
  masking.once('close', () => body.destroy());
  return body.pipe(masking);
}
