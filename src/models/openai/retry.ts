import { UpstreamError } from '../upstream-error.ts';

/** The first wait, the longest, and the share of it that is left to chance: those of OpenAI's own clients. */
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 8_000;
const JITTER = 0.25;

export interface RetryOptions {
  maxRetries: number;
  signal: AbortSignal;
  /** When the whole call has to be over, in milliseconds since the epoch. */
  deadline: number;
  /** False once something has been handed on that a second attempt would repeat. */
  mayRepeat: () => boolean;
}

/**
 * Does the work, and again after a failure that may pass. The SDK's own retries are off: its waits cannot be broken
 * off, and it waits for a `retry-after` beyond the time-out instead of saying at once that there is a limit.
 */
export async function withRetries<T>(work: () => Promise<T>, options: RetryOptions): Promise<T> {
  for (let retries = 0; ; retries += 1) {
    try {
      return await work();
    } catch (error) {
      options.signal.throwIfAborted();
      if (retries >= options.maxRetries || !options.mayRepeat() || !mayPass(error)) throw error;
      const wait = toldWait(error.headers) ?? ownWait(retries);
      if (Date.now() + wait >= options.deadline) throw error;
      await abortableWait(wait, options.signal);
    }
  }
}

/** Whether the same call may succeed later: the upstream's word for it first, then OpenAI's rule by status. */
function mayPass(error: unknown): error is UpstreamError {
  if (!(error instanceof UpstreamError)) return false;
  const told = error.headers['x-should-retry'];
  if (told === 'true' || told === 'false') return told === 'true';
  // An answer that is no answer, and an account without money, stay so.
  const code = error.error['code'];
  if (code === 'upstream_invalid' || code === 'insufficient_quota') return false;
  return [408, 409, 429].includes(error.status) || error.status >= 500;
}

/** The wait that the upstream asks for, in milliseconds; null when it asks for none. */
function toldWait(headers: Record<string, string>): number | null {
  const milliseconds = Number.parseFloat(headers['retry-after-ms'] ?? '');
  if (milliseconds >= 0) return milliseconds;
  const after = headers['retry-after'];
  if (after === undefined) return null;
  const seconds = Number.parseFloat(after);
  if (/^\s*\d/.test(after) && seconds >= 0) return seconds * 1000;
  const date = Date.parse(after);
  return Number.isNaN(date) ? null : Math.max(0, date - Date.now());
}

function ownWait(retries: number): number {
  return Math.min(FIRST_WAIT_MS * 2 ** retries, LONGEST_WAIT_MS) * (1 - Math.random() * JITTER);
}

function abortableWait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal.addEventListener('abort', stop, { once: true });
  });
}
