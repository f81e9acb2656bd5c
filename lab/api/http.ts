/** What went wrong, in words for a person: the server's own message when it sent one. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** HTTP status; 0 when the server could not be reached. */
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

interface ErrorBody {
  error?: { message?: unknown; code?: unknown };
}

/** One call of the public API. @throws {ApiError} */
export async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      ...(body === undefined
        ? {}
        : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
  } catch {
    throw new ApiError(0, 'unreachable', 'The server does not answer. Is it running?');
  }
  const text = await response.text();
  if (!response.ok) throw errorFrom(response.status, text);
  return (text === '' ? undefined : JSON.parse(text)) as T;
}

function errorFrom(status: number, text: string): ApiError {
  try {
    const { error } = JSON.parse(text) as ErrorBody;
    if (typeof error?.message === 'string') {
      return new ApiError(status, typeof error.code === 'string' ? error.code : 'unknown', error.message);
    }
  } catch {
    // Not JSON: something between this page and CCC answered.
  }
  return new ApiError(status, 'unknown', `The server answered with status ${String(status)}.`);
}
