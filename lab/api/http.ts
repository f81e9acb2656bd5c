import { keyHeaders, keyWanted, upstreamRefuses } from '../state/key.ts';

/** What went wrong, in words for a person: the server's own message when it sent one. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** HTTP status; 0 when the server could not be reached. */
  readonly status: number;
  readonly code: string;
  /** Seconds that the server asks to wait; null when it does not. */
  readonly retryAfter: number | null;
  /** Whose key was refused: the one for this server, or the one that this server has for the upstream; else null. */
  readonly refused: 'ours' | 'upstreams' | null;

  constructor(
    status: number,
    code: string,
    message: string,
    more: { retryAfter?: number | null; refused?: ApiError['refused'] } = {},
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.retryAfter = more.retryAfter ?? null;
    this.refused = more.refused ?? null;
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
  const error = errorFrom(path, response, await received(response.text()));
  if (error.refused === 'ours') keyWanted.value = true;
  if (error.refused === 'upstreams') upstreamRefuses.value = true;
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

/** Answers to these may be the upstream's. */
const PASSED_ON = /^\/v[12]\//;

/** CCC's own 401 names its realm. An upstream's may have the same code, and never comes with that header. */
function refusedKey(path: string, { status, headers }: Response): ApiError['refused'] {
  if (status !== 401) return null;
  if (headers.get('www-authenticate')?.includes('realm="ccc"') === true) return 'ours';
  return PASSED_ON.test(path) ? 'upstreams' : null;
}

function errorFrom(path: string, response: Response, text: string): ApiError {
  const { status } = response;
  const wait = Number(response.headers.get('retry-after') ?? Number.NaN);
  const retryAfter = Number.isFinite(wait) ? wait : null;
  try {
    const { error } = JSON.parse(text) as ErrorBody;
    if (typeof error?.message === 'string') {
      const code = typeof error.code === 'string' ? error.code : 'unknown';
      return new ApiError(status, code, error.message, { retryAfter, refused: refusedKey(path, response) });
    }
  } catch {
    // Not JSON: something between this page and CCC answered.
  }
  return new ApiError(status, 'unknown', `The server answered with status ${String(status)}.`, {
    retryAfter,
  });
}
