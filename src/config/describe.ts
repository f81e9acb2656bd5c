import { ERROR_CODES } from '../base/error-codes.ts';
import { allowedValues, inWords } from './allowed-values.ts';
import { SETTINGS, type Setting, type SettingName } from './schema.ts';

/** What most people set, in the order in which they come to need it. */
const FIRST: SettingName[] = [
  'OPENAI_API_KEY',
  'OPENAI_BASE_URL',
  'OPENAI_MODEL',
  'PORT',
  'HOST',
  'CCC_API_KEYS',
  'CCC_DATA_DIR',
  'CCC_COVENANT_DEFAULT',
  'CCC_MAX_ROUNDS',
  'CCC_CAUSAL_MAX_CALLS_PER_MINUTE',
  'CCC_DAY_MAX_TOKENS',
  'CCC_TOKENS_PER_DAY',
];

type Named = [name: string, setting: Setting];
const ALL: Named[] = Object.entries(SETTINGS);
const COMMON = FIRST.map((name): Named => [name, SETTINGS[name]]);
const OTHERS = ALL.filter(([name]) => !FIRST.some((first) => first === name));

const COMMANDS = [
  ['npm start', 'build and run the server'],
  ['npm start -- --help', 'this text'],
  ['npm start -- --version', 'the version'],
  ['npm test', 'run all tests'],
  ['npm run api-key -- name', 'make a key for CCC_API_KEYS'],
  ['npm run backup -- FILE', 'copy the record into a file, while the server runs'],
  ['npm run restore -- FILE', 'make a backup the record again; the server must be stopped'],
  ['npm run rekey', 'encrypt the record, or change or remove its key; the server must be stopped'],
  ['npm run export:parquet', 'write the tables behind the analytics to a folder'],
  ['npm run config-docs', 'write .env.example and the tables of settings and errors'],
] as const;

/** A sentence with its space before it, ` One of cycle, direct.`; empty where any text will do. */
function allowedSentence({ schema }: Setting): string {
  const allowed = allowedValues(schema);
  return allowed ? ` ${inWords(allowed).replace(/^./, (first) => first.toUpperCase())}.` : '';
}

/** The text of `.env.example`: every setting with its help and its default, commented out. */
export function envExample(): string {
  const parts = [...COMMON, ...OTHERS].map(
    ([name, setting]) => `# ${setting.help}${allowedSentence(setting)}\n# ${name}=${setting.default}\n`,
  );
  return [
    '# Settings of CCC. Copy this file to .env and take the # away from what you change.',
    '# Written by `npm run config-docs` from src/config/schema.ts.',
    '',
    parts.join('\n'),
  ].join('\n');
}

/** The settings as two Markdown tables: what most people set, and all others. */
export function settingsTables(): string {
  return ['### What most people set', settingsTable(COMMON), '### All others', settingsTable(OTHERS)].join(
    '\n\n',
  );
}

function settingsTable(settings: Named[]): string {
  const rows = settings.map(([name, setting]) => {
    const preset = setting.default === '' ? '' : code(setting.default);
    const help = setting.help.replaceAll('|', '\\|');
    return `| ${code(name)} | ${preset} | ${valuesCell(setting)} | ${help} |`;
  });
  return ['| setting | default | values | what it does |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

const code = (text: string) => `\`${text}\``;

function valuesCell({ schema }: Setting): string {
  const allowed = allowedValues(schema);
  if (!allowed) return '';
  return 'oneOf' in allowed
    ? allowed.oneOf.map(code).join(', ')
    : `${String(allowed.from)} to ${String(allowed.to)}`;
}

/** A Markdown text with the tables between its two markers; unchanged when it has none. */
export function withSettingsTables(markdown: string): string {
  return between(markdown, 'settings', settingsTables());
}

function between(markdown: string, marker: string, text: string): string {
  return markdown.replace(
    new RegExp(`(<!-- ${marker} -->\\n)[\\s\\S]*?(<!-- /${marker} -->)`),
    (_all, open: string, close: string) => `${open}\n${text}\n\n${close}`,
  );
}

/** The errors that this server makes, as a Markdown table, between their two markers. */
export function withErrorsTable(markdown: string): string {
  const rows = Object.entries(ERROR_CODES).map(
    ([code, { status, type, meaning }]) => `| \`${code}\` | ${String(status)} | \`${type}\` | ${meaning} |`,
  );
  const table = ['| code | status | type | meaning |', '| --- | --- | --- | --- |', ...rows].join('\n');
  return between(markdown, 'errors', table);
}

/** What `--help` prints. */
export function helpText(version: string): string {
  const width = Math.max(...COMMANDS.map(([command]) => command.length));
  const list = (settings: Named[]) =>
    settings.map(
      ([name, setting]) => `  ${name} [${setting.default}]\n      ${setting.help}${allowedSentence(setting)}`,
    );
  return [
    `Covenant Command Cycle ${version}: an OpenAI-compatible server with memory and supervised answers.`,
    '',
    'Commands:',
    ...COMMANDS.map(([command, help]) => `  ${command.padEnd(width)}  ${help}`),
    '',
    'Settings, from the environment or from a file named .env (default in brackets). What most people set:',
    ...list(COMMON),
    '',
    'All others:',
    ...list(OTHERS),
    '',
  ].join('\n');
}
