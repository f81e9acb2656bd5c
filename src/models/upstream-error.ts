import type { CccError } from '../base/ccc-error.ts';

/** The upstream answered with an error, or broke off. Carries what a client of the upstream would have seen. */
export class UpstreamError extends Error {
  override readonly name = 'UpstreamError';
  /** HTTP status; 502 when the connection broke, 504 on a time-out. */
  readonly status: number;
  /** The upstream's error object (`{message, type, code, param}`), or one made in its shape. */
  readonly error: Record<string, unknown>;
  /** Headers a client acts on: `retry-after`, `retry-after-ms`, `x-should-retry`, `x-request-id`. */
  readonly headers: Record<string, string>;

  constructor(
    status: number,
    error: Record<string, unknown>,
    headers: Record<string, string> = {},
    cause?: unknown,
  ) {
    super(typeof error['message'] === 'string' ? error['message'] : `upstream status ${String(status)}`, {
      cause,
    });
    this.status = status;
    this.error = error;
    this.headers = headers;
  }

  /** What this server has to say of the upstream, in its own words: they quote nobody. The error itself is the cause. */
  static of(error: CccError, headers: Record<string, string> = {}): UpstreamError {
    return new UpstreamError(error.status, { ...error.toBody().error }, headers, error);
  }
}

/** What of an error may be logged: an upstream's may quote what was said, so of it only the code, and what broke the call. */
export function errorForLog(error: unknown): object {
  if (!(error instanceof UpstreamError)) return { err: error };
  const cause = error.cause instanceof Error ? error.cause.cause : undefined;
  return {
    upstream_status: error.status,
    upstream_code: error.error['code'] ?? null,
    ...(cause === undefined ? {} : { err: cause }),
  };
}
