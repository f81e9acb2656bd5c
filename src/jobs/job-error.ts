import { CccError } from '../base/ccc-error.ts';

/**
 * Thrown by a handler that knows better than the runner's backoff when to try again ("not before the minute is over":
 * this does not count as an attempt), or that trying again is of no use (`retryAt: null`: set aside as failed).
 */
export class JobError extends Error {
  override readonly name = 'JobError';
  /** When to try again, in milliseconds since the epoch; null for never. */
  readonly retryAt: number | null;
  /** Whether no other job of the same kind could do better before then: none is taken up. */
  readonly forAll: boolean;

  constructor(message: string, options: { retryAt: number | null; forAll?: boolean; cause?: unknown }) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.retryAt = options.retryAt;
    this.forAll = options.forAll ?? false;
  }
}

/** Longest text of an error that is kept with a job. */
const MAX_LENGTH = 300;

/** Things that look like keys: after a telling word, or long runs of letters and digits mixed. */
const KEY_LIKE = [
  /\b(?:sk|pk|rk|key|token|bearer|basic)[-_: =]+["']?[\w.+/=-]{8,}/gi,
  /\b(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[\w-]{40,}\b/g,
];

/**
 * One line about an error, fit for a log and for the job's row. Messages of foreign errors may quote a request, so
 * whatever looks like a key is taken out.
 */
export function describeError(error: unknown): string {
  const text =
    error instanceof CccError
      ? `${error.code}: ${error.message}`
      : error instanceof Error
        ? `${error.name}: ${error.message}`
        : 'something that is not an Error was thrown';
  const line = KEY_LIKE.reduce((rest, pattern) => rest.replace(pattern, '[redacted]'), text);
  return line.replace(/\s+/g, ' ').slice(0, MAX_LENGTH);
}
