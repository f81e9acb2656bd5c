import { keyHeaders, keyWanted } from '../state/key.ts';

/** What went wrong, in words for a person: the server's own message when it sent one. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** HTTP status; 0 when the server could not be reached. */
  readonly status: number;
  readonly code: string;
  /** Seconds that the server asks to wait; null when it does not. */
  readonly retryAfter: number | null;

  constructor(status: number, code: string, message: string, retryAfter: number | null = null) {
    super(message);
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

interface ErrorBody {
  error?: { message?: unknown; code?: unknown };
}

/** One call of the public API. @throws {ApiError} */
export async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  const response = await send(path, {
    method,
    ...(body === undefined
      ? {}
      : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  const text = await received(response.text());
  return (text === '' ? undefined : JSON.parse(text)) as T;
}

/** A request whose answer is read by the caller. @throws {ApiError} for each answer that is not a success */
export async function send(path: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { ...init, headers: { ...keyHeaders(), ...init.headers } });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw unreachable();
  }
  if (response.ok) return response;
  const error = errorFrom(response, await received(response.text()));
  if (error.code === 'invalid_api_key') keyWanted.value = true;
  throw error;
}

async function received(text: Promise<string>): Promise<string> {
  try {
    return await text;
  } catch {
    throw unreachable();
  }
}

function unreachable(): ApiError {
  return new ApiError(0, 'unreachable', 'The server does not answer. Is it running?');
}

function errorFrom(response: Response, text: string): ApiError {
  const { status } = response;
  const wait = Number(response.headers.get('retry-after') ?? Number.NaN);
  const retryAfter = Number.isFinite(wait) ? wait : null;
  try {
    const { error } = JSON.parse(text) as ErrorBody;
    if (typeof error?.message === 'string') {
      const code = typeof error.code === 'string' ? error.code : 'unknown';
      return new ApiError(status, code, error.message, retryAfter);
    }
  } catch {
    // Not JSON: something between this page and CCC answered.
  }
  return new ApiError(status, 'unknown', `The server answered with status ${String(status)}.`, retryAfter);
}
