import { pino, type Logger as PinoLogger } from 'pino';

export type Logger = PinoLogger;

/** Names of fields whose values never reach a log, wherever one level of nesting puts them. */
const SECRET_FIELDS = [
  'authorization',
  'cookie',
  'set-cookie',
  'x-api-key',
  'apiKey',
  'api_key',
  'token',
  'password',
];

/** A structured logger that writes JSON lines to standard output, or to `destination` in a test. */
export function createLogger(level: string, destination?: { write(line: string): void }): Logger {
  const paths = SECRET_FIELDS.flatMap((field) => {
    const key = field.includes('-') ? `["${field}"]` : `.${field}`;
    const root = field.includes('-') ? `["${field}"]` : field;
    return [root, `*${key}`, `*.*${key}`];
  });
  const options = {
    level,
    base: null,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths, censor: '[redacted]' },
  };
  return destination ? pino(options, destination) : pino(options);
}

/** A logger that writes nothing, for callers of the TypeScript API who bring none. */
export const silentLogger: Logger = pino({ level: 'silent' });
