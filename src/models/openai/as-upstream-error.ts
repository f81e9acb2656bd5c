import { APIConnectionError, APIConnectionTimeoutError, APIError, APIUserAbortError } from 'openai';
import { CccError } from '../../base/ccc-error.ts';
import { UpstreamError } from '../upstream-error.ts';
import { noAnswer } from './no-answer.ts';
import { masked, type Secret } from './secrets.ts';
import type { UpstreamAddress } from './upstream-address.ts';

/** Headers of an error that tell a client what to do next. */
const TELLING_HEADERS = ['retry-after', 'retry-after-ms', 'x-should-retry', 'x-request-id'];

/** Whatever the SDK threw, as what a client of the upstream would have seen, without the server's secrets. */
export function asUpstreamError(
  error: unknown,
  { origin, secrets }: Pick<UpstreamAddress, 'origin' | 'secrets'>,
): UpstreamError {
  if (error instanceof UpstreamError) return error;
  if (error instanceof APIConnectionTimeoutError) {
    return UpstreamError.of(new CccError('upstream_timeout', undefined, { cause: error }));
  }
  if (error instanceof APIUserAbortError || error instanceof APIConnectionError) {
    return UpstreamError.of(noAnswer(error.cause, origin));
  }
  // The error itself is not kept as a cause: it holds the upstream's words, unmasked.
  if (error instanceof APIError) return fromAnswer(error, secrets);
  // The connection ended in the middle of the answer, or what came cannot be read as one.
  if (error instanceof SyntaxError) return invalidAnswer('The upstream sent something that is not JSON.');
  return brokenOff(error);
}

export function brokenOff(cause?: unknown): UpstreamError {
  const message = 'The upstream broke off in the middle of its answer.';
  return UpstreamError.of(new CccError('upstream_unreachable', message, { cause }));
}

export function invalidAnswer(message: string): UpstreamError {
  return UpstreamError.of(new CccError('upstream_invalid', message));
}

export function outOfTime(timeoutMs: number): UpstreamError {
  const message = `The upstream did not finish within ${String(timeoutMs)} ms.`;
  return UpstreamError.of(new CccError('upstream_timeout', message));
}

function fromAnswer(error: APIError, secrets: readonly Secret[]): UpstreamError {
  const headers = error.headers as Headers | undefined;
  const telling = TELLING_HEADERS.flatMap((name): [string, string][] => {
    const value = headers?.get(name);
    return value ? [[name, value]] : [];
  });
  const body = (typeof error.error === 'object' && error.error !== null ? error.error : {}) as Record<
    string,
    unknown
  >;
  const message = typeof body['message'] === 'string' ? body['message'] : error.message;
  return new UpstreamError(
    // An error chunk in a stream has no status of its own.
    (error.status as number | undefined) ?? 502,
    {
      message: masked(message, secrets),
      type: error.type ?? 'api_error',
      code: error.code ?? null,
      param: error.param ?? null,
    },
    Object.fromEntries(telling),
  );
}
