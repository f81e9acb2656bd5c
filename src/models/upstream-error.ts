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
}
