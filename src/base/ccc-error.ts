import { ERROR_CODES, type ErrorCode } from './error-codes.ts';

/** The body of every error this server sends: OpenAI's shape. */
export interface ErrorBody {
  error: { message: string; type: string; code: string; param: string | null };
}

/** An error with a code from the table, safe to show to a client: its message never holds a secret. */
export class CccError extends Error {
  override readonly name = 'CccError';
  readonly code: ErrorCode;
  /** The request field at fault, in the client's words (`messages.0.role`), or null. */
  readonly param: string | null;

  constructor(code: ErrorCode, message?: string, options: { param?: string; cause?: unknown } = {}) {
    super(message ?? ERROR_CODES[code].meaning, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.param = options.param ?? null;
  }

  get status(): number {
    return ERROR_CODES[this.code].status;
  }

  toBody(): ErrorBody {
    return {
      error: { message: this.message, type: ERROR_CODES[this.code].type, code: this.code, param: this.param },
    };
  }
}
