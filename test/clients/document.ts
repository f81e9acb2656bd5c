import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { ROOT } from '../support/server-process.ts';
import type { Case } from './case.ts';
import type { Client } from './client.ts';
import type { Path, PathName } from './paths.ts';

export const DOCUMENT = join(ROOT, 'docs/clients.md');

/** What became of one case of one client on one path. */
export type Outcome = 'passed' | 'failed' | { lacks: string };

export interface Results {
  clients: Client[];
  cases: Case[];
  paths: Path[];
  outcome(client: Client, path: Path, one: Case): Outcome;
  canary: { upstream: string; path: PathName; profile: string; itself: number; through: number }[];
}

/** The document with its generated parts as the results have them, and in prettier's form. */
export async function documentOf(results: Results): Promise<string> {
  let markdown = readFileSync(DOCUMENT, 'utf8');
  const parts = {
    matrix: matrix(results),
    cases: table(
      ['case', 'what has to be so'],
      results.cases.map(({ name, means }) => [name, means]),
    ),
    compatcanary: canaryTable(results),
    configurations: results.clients.map(configuration).join('\n\n'),
  };
  for (const [name, text] of Object.entries(parts)) {
    const between = new RegExp(`(?<=<!-- ${name} -->\n)[\\s\\S]*(?=<!-- /${name} -->)`);
    if (!between.test(markdown)) throw new Error(`docs/clients.md has no place for its ${name}`);
    markdown = markdown.replace(between, () => `\n${text}\n\n`);
  }
  return format(markdown, { ...(await resolveConfig(DOCUMENT)), parser: 'markdown' });
}

const table = (head: string[], rows: string[][], align = head.map(() => '---')) =>
  [head, align, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

/** Rows are clients; a cell has a mark for each path. */
function matrix({ clients, cases, paths, outcome }: Results): string {
  const notes: string[] = [];
  const mark = (result: Outcome): string => {
    if (result === 'passed') return '✓';
    if (result === 'failed') return '✗';
    if (!notes.includes(result.lacks)) notes.push(result.lacks);
    return `–<sup>${String(notes.indexOf(result.lacks) + 1)}</sup>`;
  };
  const cell = (client: Client, one: Case): string => {
    const [first = '', ...others] = paths.map((path) => mark(outcome(client, path, one)));
    const nowhere = first.startsWith('–') && others.every((other) => other === first);
    return nowhere ? first : [first, ...others].join('');
  };
  const rows = clients.map((client) => [client.name, ...cases.map((one) => cell(client, one))]);
  const head = ['client', ...cases.map(({ name }) => name)];
  const align = ['---', ...cases.map(() => ':-:')];
  return `${table(head, rows, align)}\n\n${notes.map((note, at) => `${String(at + 1)}. ${note}`).join('\n')}`;
}

function canaryTable({ canary }: Results): string {
  return table(
    ['upstream', 'through', 'profile', 'score of the upstream itself', 'score through CCC'],
    canary.map(({ upstream, path, profile, itself, through }) => [
      upstream,
      `\`${path}\``,
      profile,
      String(itself),
      String(through),
    ]),
    ['---', '---', '---', '--:', '--:'],
  );
}

function configuration(client: Client): string {
  const isScript = client.source.endsWith('.sh');
  const code = isScript
    ? `${client.ask.trim()}\n\n${readFileSync(client.source, 'utf8').trim()}`
    : region(client);
  const packages = client.modules.map((module) => `${publicName(module)}@${versionOf(module)}`);
  return [
    `### ${client.name}`,
    ...(packages.length > 0 ? [['```sh', `npm install ${packages.join(' ')}`, '```'].join('\n')] : []),
    ['```' + (isScript ? 'sh' : 'js'), code, '```'].join('\n'),
  ].join('\n\n');
}

/** Aliases such as `openai-4` are ours; people install `openai@4`. */
const publicName = (module: string) => module.replace(/^(openai)-\d$/, '$1');

/** Major and minor: a patch changes nothing here. */
function versionOf(module: string): string {
  const manifest = readFileSync(join(ROOT, 'node_modules', module, 'package.json'), 'utf8');
  const { version } = JSON.parse(manifest) as { version: string };
  return version.split('.').slice(0, 2).join('.');
}

/** The lines between `// configuration: name` and `// end` and a question, with the imports of what is used in them. */
function region({ name, source, ask }: Client): string {
  const text = readFileSync(source, 'utf8');
  const [, after = ''] = text.split(`// configuration: ${name}\n`);
  const [body = ''] = after.split(/^ *\/\/ end$/m);
  if (body === '') throw new Error(`${source} has no configuration of ${name}`);
  const indent = /^ */.exec(body)?.[0] ?? '';
  const code = `${body.replaceAll(new RegExp(`^${indent}`, 'gm'), '').trim()}\n${ask}`;
  // Under other names only because three majors stand side by side here.
  return [...importsFor(code, text), '', code].join('\n').replaceAll(/\bOpenAI[45]\b/g, 'OpenAI');
}

function importsFor(code: string, text: string): string[] {
  const statements = text.matchAll(/^import (?!type)([^;]+?) from '([^.'][^']*)';$/gm);
  return [...statements].flatMap(([, names = '', from = '']) => {
    const used = names
      .replaceAll(/[{}]/g, '')
      .split(',')
      .map((each) => each.trim())
      .filter((each) => each !== '' && new RegExp(`\\b${each}\\b`).test(code));
    if (used.length === 0) return [];
    const list = names.startsWith('{') ? `{ ${used.join(', ')} }` : used.join(', ');
    return [`import ${list} from '${publicName(from)}';`];
  });
}
