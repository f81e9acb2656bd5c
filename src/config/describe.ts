import { ERROR_CODES } from '../base/error-codes.ts';
import { SETTINGS, type Setting } from './schema.ts';

const ALL = Object.entries(SETTINGS) as [string, Setting][];

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

/** The text of `.env.example`: every setting with its help and its default, commented out. */
export function envExample(): string {
  const parts = ALL.map(([name, setting]) => `# ${setting.help}\n# ${name}=${setting.default}\n`);
  return [
    '# Settings of CCC. Copy this file to .env and take the # away from what you change.',
    '# Written by `npm run config-docs` from src/config/schema.ts.',
    '',
    parts.join('\n'),
  ].join('\n');
}

/** The settings as a Markdown table. */
export function settingsTable(): string {
  const rows = ALL.map(([name, setting]) => {
    const preset = setting.default === '' ? '' : `\`${setting.default}\``;
    return `| \`${name}\` | ${preset} | ${setting.help.replaceAll('|', '\\|')} |`;
  });
  return ['| setting | default | what it does |', '| --- | --- | --- |', ...rows].join('\n');
}

/** A Markdown text with the table between its two markers; unchanged when it has none. */
export function withSettingsTable(markdown: string): string {
  return between(markdown, 'settings', settingsTable());
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
  const settings = ALL.map(([name, setting]) => `  ${name} [${setting.default}]\n      ${setting.help}`);
  return [
    `Covenant Command Cycle ${version}: an OpenAI-compatible server with memory and supervised answers.`,
    '',
    'Commands:',
    ...COMMANDS.map(([command, help]) => `  ${command.padEnd(width)}  ${help}`),
    '',
    'Settings, from the environment or from a file named .env (default in brackets):',
    ...settings,
    '',
  ].join('\n');
}
