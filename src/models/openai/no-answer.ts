import { errors } from 'undici';
import { CccError } from '../../base/ccc-error.ts';

const RUNNING = 'Is it running, and is OPENAI_BASE_URL right?';
const RIGHT = 'Is OPENAI_BASE_URL right?';

interface Words {
  says: (at: string) => string;
  /** What to look at. */
  ask: string;
}

/** What the codes of Node, OpenSSL and undici say in words; `at` is the address. The first that fits counts. */
const IN_WORDS: readonly (Words & { code: RegExp })[] = [
  { code: /^ECONNREFUSED$/, says: (at) => `nothing answers at ${at}`, ask: RUNNING },
  { code: /^(?:ENOTFOUND|EAI_\w+)$/, says: (at) => `the name in ${at} is not known`, ask: RIGHT },
  {
    code: /^(?:UND_ERR_CONNECT_TIMEOUT|ETIMEDOUT)$/,
    says: (at) => `${at} took no connection in time`,
    ask: RUNNING,
  },
  { code: /^E(?:HOST|NET)(?:UNREACH|DOWN)$/, says: (at) => `no way leads to ${at}`, ask: RUNNING },
  {
    code: /^(?:ECONNRESET|EPIPE|UND_ERR_SOCKET)$/,
    says: (at) => `${at} closed the connection before it answered`,
    ask: RUNNING,
  },
  { code: /^(?:EPROTO|ERR_SSL_\w+)$/, says: (at) => `no TLS connection to ${at} comes about`, ask: RIGHT },
  {
    code: /CERT|CRL|ISSUER|SIGNATURE/,
    says: (at) => `the certificate of ${at} is not accepted`,
    ask: RIGHT,
  },
  { code: /^HPE_|^HTTPParserError$/, says: (at) => `what answers at ${at} is not HTTP`, ask: RIGHT },
  // Some ports are closed to `fetch`, whoever listens there (fetch.spec.whatwg.org, "port blocking").
  { code: /^bad port$/, says: (at) => `the port of ${at} is not one for HTTP`, ask: RIGHT },
];

const OTHERWISE: Words = { says: (at) => `the call to ${at} failed`, ask: RUNNING };

/**
 * An upstream that gave no answer, for whoever asked: what it came to and where, and what to look at. Of the address it
 * shows scheme, host and port only; of the error its code, never its words. The error itself is kept as the cause.
 *
 * @param error what undici threw, or the SDK around it
 */
export function noAnswer(error: unknown, origin: string): CccError {
  if (isTimeout(error)) return new CccError('upstream_timeout', undefined, { cause: error });
  const code = codeOf(error);
  const { says, ask } = IN_WORDS.find((words) => words.code.test(code)) ?? OTHERWISE;
  const why = `${says(origin)}${code === '' ? '' : ` (${code})`}`;
  const message = `The upstream could not be reached: ${why}. ${ask}`;
  return new CccError('upstream_unreachable', message, { cause: error });
}

/** The connection stood, and nothing came over it. */
function isTimeout(error: unknown): boolean {
  return chain(error).some(
    (one) => one instanceof errors.HeadersTimeoutError || one instanceof errors.BodyTimeoutError,
  );
}

/** Wrapped errors say less than what they wrap; what has no code is known by its name, or by its two words. */
function codeOf(error: unknown): string {
  const found = chain(error);
  const coded = found.find(({ code }) => typeof code === 'string' && /^\w+$/.test(code));
  if (coded) return coded.code as string;
  return found.some(({ message }) => message === 'bad port')
    ? 'bad port'
    : (found.find(({ name }) => name === 'HTTPParserError')?.name ?? '');
}

/** An error and what lies behind it. A name with several addresses has an error for each: the first speaks for all. */
function chain(error: unknown): (Error & { code?: unknown })[] {
  const found: (Error & { code?: unknown })[] = [];
  for (let one = error; one instanceof Error && found.length < 8;) {
    found.push(one);
    one = one.cause ?? (one instanceof AggregateError ? (one.errors as unknown[])[0] : undefined);
  }
  return found;
}
