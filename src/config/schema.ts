import { z } from 'zod';
import { ENTRY_FORM, parseApiKey } from './api-keys.ts';

/**
 * Every setting of the server: name, default, check and help. `.env.example` and the tables in the README are
 * written from this list by `npm run config-docs`, and a test fails when they differ.
 */
export interface Setting {
  schema: z.ZodType;
  /** As it would be written in the environment; empty when unset. */
  default: string;
  help: string;
  /** Where the value must never be shown. */
  secret?: true;
}

const integer = (min: number, max: number) => z.coerce.number().int().min(min).max(max);
const url = z.url({ protocol: /^https?$/, error: 'must be an address that begins with http:// or https://' });
const optional = <T extends z.ZodType>(schema: T) =>
  z.preprocess((v) => (v === '' ? undefined : v), schema.optional());
const list = z.string().transform((text) =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean),
);

const apiKeys = list.transform((entries, context) =>
  entries.flatMap((entry) => {
    const key = parseApiKey(entry);
    if (!key) context.addIssue({ code: 'custom', message: ENTRY_FORM });
    return key ?? [];
  }),
);

/** A size such as `20mb`, `512kb` or a plain number of bytes. */
const byteSize = z
  .string()
  .regex(/^\d+\s*(b|kb|mb|gb)?$/i, 'must be a size such as 20mb, 512kb or a number of bytes')
  .transform((text) => {
    const unit =
      { kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 }[/[kmg]b$/i.exec(text)?.[0].toLowerCase() ?? ''] ?? 1;
    return Number.parseInt(text, 10) * unit;
  });

export const SETTINGS = {
  HOST: { schema: z.string().min(1), default: '127.0.0.1', help: 'Address to listen on.' },
  PORT: { schema: integer(0, 65_535), default: '5111', help: 'Port to listen on; 0 takes any free one.' },
  CCC_DATA_DIR: {
    schema: z.string().min(1),
    default: './data',
    help: 'Folder that holds the record and the projection; created when missing.',
  },
  CCC_DATABASE_URL: {
    schema: optional(
      z.url({
        protocol: /^postgres(ql)?$/,
        error: 'must be an address such as postgres://user:password@host:5432/name',
      }),
    ),
    default: '',
    help: 'A PostgreSQL database that holds the record, `postgres://user:password@host:5432/name`: any number of servers may share it. A SQLite file in CCC_DATA_DIR when empty.',
    secret: true,
  },
  CCC_DATABASE_CONNECTIONS: {
    schema: integer(1, 1_000),
    default: '10',
    help: 'Most connections of this server to CCC_DATABASE_URL, besides one that listens.',
  },
  CCC_DATABASE_TIMEOUT_MS: {
    schema: integer(100, 600_000),
    default: '30000',
    help: 'Longest time for a statement on CCC_DATABASE_URL, in milliseconds.',
  },
  CCC_LEASE_SECONDS: {
    schema: integer(1, 3_600),
    default: '15',
    help: 'How long a server on CCC_DATABASE_URL may be silent before the others take up its cycles.',
  },
  CCC_ENCRYPTION_KEY: {
    schema: optional(
      z.string().min(16, 'must have at least 16 characters; `openssl rand -base64 32` makes a good one'),
    ),
    default: '',
    help: 'Encrypts the record with this passphrase, its indexes and logs included; in clear when empty. `npm run rekey` changes it. Without it nobody can read the record.',
    secret: true,
  },
  CCC_ENCRYPTION_KEY_FILE: {
    schema: optional(z.string().min(1)),
    default: '',
    help: 'A file that holds CCC_ENCRYPTION_KEY, instead of that.',
  },
  CCC_PROVIDER: {
    schema: z.enum(['auto', 'openai', 'rehearsal']),
    default: 'auto',
    help: 'Who answers: `openai` (any compatible server), `rehearsal` (built in, offline), or `auto`: openai when a key or a base URL is set, else rehearsal.',
  },
  OPENAI_API_KEY: {
    schema: optional(z.string()),
    default: '',
    help: "The upstream's key. Stays in this process.",
    secret: true,
  },
  OPENAI_BASE_URL: {
    schema: optional(url),
    default: '',
    help: "The upstream's API root, such as http://127.0.0.1:11434/v1 for Ollama. OpenAI's own when empty.",
  },
  OPENAI_MODEL: {
    schema: z.string().min(1),
    default: 'gpt-4o-mini',
    help: 'Model for calls that name none.',
  },
  OPENAI_TIMEOUT_MS: {
    schema: integer(1, 3_600_000),
    default: '600000',
    help: 'Longest wait for the upstream, in milliseconds.',
  },
  OPENAI_MAX_RETRIES: {
    schema: integer(0, 10),
    default: '2',
    help: "Retries of CCC's own upstream calls (the cycle and the background); calls passed through are never retried.",
  },
  CCC_BEATRICE_MODEL: {
    schema: optional(z.string()),
    default: '',
    help: "Beatrice's model; the request's model when empty.",
  },
  CCC_CODEY_MODEL: {
    schema: optional(z.string()),
    default: '',
    help: "Codey's model; the request's model when empty.",
  },
  CCC_COVENANT_DEFAULT: {
    schema: z.enum(['cycle', 'direct']),
    default: 'cycle',
    help: 'What a /v2 chat with a session does when neither request nor session says.',
  },
  CCC_MAX_ROUNDS: { schema: integer(1, 10), default: '3', help: 'Most revisions in a cycle.' },
  CCC_SESSION_MAX_TOKENS: {
    schema: optional(integer(1, 1_000_000_000_000)),
    default: '',
    help: 'Most tokens that the cycles of a session may take; no limit when empty.',
  },
  CCC_SESSION_MAX_SECONDS: {
    schema: optional(integer(1, 1_000_000_000_000)),
    default: '',
    help: 'Most seconds of work that the cycles of a session may take; no limit when empty.',
  },
  CCC_SESSION_MAX_ROUNDS: {
    schema: optional(integer(1, 1_000_000_000_000)),
    default: '',
    help: 'Most drafts that the cycles of a session may take; no limit when empty.',
  },
  CCC_DAY_MAX_TOKENS: {
    schema: optional(integer(1, 1_000_000_000_000)),
    default: '',
    help: 'Most tokens that the cycles of all sessions together in a day (UTC) may take; no limit when empty.',
  },
  CCC_DAY_MAX_SECONDS: {
    schema: optional(integer(1, 1_000_000_000_000)),
    default: '',
    help: 'Most seconds of work that the cycles of all sessions together in a day (UTC) may take; no limit when empty.',
  },
  CCC_DAY_MAX_ROUNDS: {
    schema: optional(integer(1, 1_000_000_000_000)),
    default: '',
    help: 'Most drafts that the cycles of all sessions together in a day (UTC) may take; no limit when empty.',
  },
  CCC_MAX_CONTEXT_TURNS: {
    schema: integer(0, 200),
    default: '12',
    help: 'Most remembered turns added to a prompt.',
  },
  CCC_MAX_CONTEXT_TOKENS: {
    schema: integer(0, 200_000),
    default: '2000',
    help: 'Most tokens that memory adds to a prompt.',
  },
  CCC_SUMMARY_TRIGGER_TOKENS: {
    schema: integer(200, 1_000_000),
    default: '6000',
    help: 'A conversation is summarised in the background once its unsummarised turns pass this many tokens.',
  },
  CCC_EMBEDDINGS: {
    schema: z.enum(['off', 'local', 'openai']),
    default: 'off',
    help: 'Whether turns and causes are also found by their meaning: `local` (a small model in this process, downloaded on first use), `openai` (`/embeddings` of the upstream), or `off`.',
  },
  CCC_EMBEDDING_MODEL: {
    schema: optional(z.string().regex(/^[\w.:-]+(\/[\w.:-]+)*$/, 'must be the name of a model')),
    default: '',
    help: 'The embedding model; when empty all-MiniLM-L6-v2 (local) or text-embedding-3-small (openai). Another one embeds everything anew, in the background.',
  },
  CCC_FACTS: {
    schema: z.enum(['on', 'off']),
    default: 'off',
    help: 'Whether facts are noted from what is said, in the background, with one model call an exchange.',
  },
  CCC_FACTS_MAX_CALLS_PER_MINUTE: {
    schema: integer(1, 10_000),
    default: '30',
    help: 'Most upstream calls a minute for noting facts.',
  },
  CCC_CAUSAL_MAX_CALLS_PER_MINUTE: {
    schema: integer(0, 10_000),
    default: '30',
    help: 'Most upstream calls a minute for finding events and their causes, in the background; 0 makes none.',
  },
  CCC_REDACT: {
    schema: z.enum(['on', 'off']),
    default: 'on',
    help: 'Whether secrets that people paste (keys, tokens, passwords, private keys) are masked before anything is stored.',
  },
  CCC_RETENTION_DAYS: {
    schema: optional(integer(1, 36_500)),
    default: '',
    help: 'Days for which sessions keep what was said; older is removed. A session may keep less, by its preference memory_retention_days. For ever when empty.',
  },
  CCC_SESSION_MAX_TURNS: {
    schema: integer(0, 1_000_000_000),
    default: '0',
    help: 'Most turns that a session holds; what would add more is refused with 413, and chats go on without being stored. 0 sets no limit.',
  },
  CCC_MAX_BODY: { schema: byteSize, default: '20mb', help: 'Largest request body.' },
  CCC_SHUTDOWN_MS: {
    schema: integer(0, 600_000),
    default: '10000',
    help: 'How long running requests may take to finish after SIGTERM or SIGINT, in milliseconds.',
  },
  CCC_API_KEYS: {
    schema: apiKeys,
    default: '',
    help: 'Who may call: `name:hash` entries, comma separated, made by `npm run api-key -- name`. When set, every request needs one of the keys.',
    secret: true,
  },
  CCC_REQUESTS_PER_MINUTE: {
    schema: integer(0, 1_000_000),
    default: '0',
    help: 'Most requests a minute for each key, session token or else address; 0 sets no limit. An entry of CCC_API_KEYS may set its own.',
  },
  CCC_SESSION_REQUESTS_PER_MINUTE: {
    schema: integer(0, 1_000_000),
    default: '0',
    help: 'Most requests a minute for each session, whoever asks for it by path, header, body or token; beside the limit of the caller. 0 sets no limit.',
  },
  CCC_TOKENS_PER_DAY: {
    schema: integer(0, 1_000_000_000_000),
    default: '0',
    help: 'Most tokens a day (UTC) for each key, session token or else address, in chats, cycles and embeddings; 0 sets no limit. An entry of CCC_API_KEYS may set its own.',
  },
  CCC_UPSTREAM_CONCURRENCY: {
    schema: integer(0, 100_000),
    default: '128',
    help: 'Most calls to the upstream at the same time; others wait, callers in turn. 0 sets no limit.',
  },
  CCC_UPSTREAM_FAILURES: {
    schema: integer(0, 1_000),
    default: '10',
    help: 'Failures in a row after which the upstream is left alone for ten seconds (503 with retry-after); 0: never.',
  },
  CCC_INSECURE: {
    schema: z.enum(['0', '1']).transform((text) => text === '1'),
    default: '0',
    help: '1 allows a HOST that others can reach without CCC_API_KEYS: they can use the key and read the memory.',
  },
  CORS_ORIGINS: {
    schema: list,
    default: '',
    help: 'Further origins whose pages may call this server, comma separated.',
  },
  CCC_ALLOWED_HOSTS: {
    schema: list,
    default: '',
    help: 'Further names this server may be called by (Host header), comma separated; needed behind a reverse proxy.',
  },
  OTEL_EXPORTER_OTLP_ENDPOINT: {
    schema: optional(url),
    default: '',
    help: 'An OpenTelemetry collector that takes OTLP over HTTP, such as http://127.0.0.1:4318: traces of cycles go there.',
  },
  OTEL_EXPORTER_OTLP_HEADERS: {
    schema: optional(z.string().regex(/^[^=,\s]+=[^,]*(,[^=,\s]+=[^,]*)*$/, 'must be name=value,name=value')),
    default: '',
    help: 'Headers for the collector, as name=value, comma separated.',
    secret: true,
  },
  OTEL_SERVICE_NAME: {
    schema: z.string().min(1),
    default: 'covenant-command-cycle',
    help: 'The name under which traces appear.',
  },
  CCC_TRACE_CONTENT: {
    schema: z.enum(['on', 'off']),
    default: 'off',
    help: 'Whether directives, guidance, drafts and what checks say of them go into exported traces.',
  },
  LOG_LEVEL: {
    schema: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']),
    default: 'info',
    help: 'How much is logged.',
  },
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof SETTINGS;
export type Settings = Readonly<{ [K in SettingName]: z.output<(typeof SETTINGS)[K]['schema']> }>;
