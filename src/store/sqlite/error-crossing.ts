import SqliteDatabase from 'better-sqlite3';
import { CccError } from '../../base/ccc-error.ts';
import type { ErrorCode } from '../../base/error-codes.ts';

/** An error as plain data, for the way between two threads. */
export interface PlainError {
  code: ErrorCode;
  message: string;
  param: string | null;
  cause: { name: string; message: string; code: string | null } | null;
}

/**
 * What a store promises to throw: its own `CccError`s as they are; trouble of the engine as storage_failed and
 * anything else as internal_error, with the real error as `cause` (for the log, never for a client).
 */
export function asCccError(error: unknown): CccError {
  if (error instanceof CccError) return error;
  return new CccError(
    error instanceof SqliteDatabase.SqliteError ? 'storage_failed' : 'internal_error',
    undefined,
    {
      cause: error,
    },
  );
}

export function toPlainError(error: CccError): PlainError {
  return { code: error.code, message: error.message, param: error.param, cause: plainCause(error.cause) };
}

export function fromPlainError(plain: PlainError): CccError {
  const options: { param?: string; cause?: unknown } = {};
  if (plain.param !== null) options.param = plain.param;
  if (plain.cause) {
    const cause = new Error(plain.cause.message);
    cause.name = plain.cause.name;
    options.cause = plain.cause.code === null ? cause : Object.assign(cause, { code: plain.cause.code });
  }
  return new CccError(plain.code, plain.message, options);
}

function plainCause(cause: unknown): PlainError['cause'] {
  if (cause === undefined) return null;
  if (!(cause instanceof Error)) return { name: 'Error', message: String(cause), code: null };
  const code = (cause as { code?: unknown }).code;
  return { name: cause.name, message: cause.message, code: typeof code === 'string' ? code : null };
}
