import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { PROJECT_ROOT } from '../../src/base/project-root.ts';
import { chatLines } from './chat.ts';
import { verdict, wanted } from './figures.ts';
import { titleOf, type GatewayRow } from './gateways.ts';
import { plotGateways } from './plot.ts';
import type { SpeedResults } from './results.ts';
import { shown } from './spread.ts';
import { startLine } from './start.ts';

const DOCUMENT = join(PROJECT_ROOT, 'docs/benchmarks.md');
const PLOT = join(PROJECT_ROOT, 'docs/benchmarks/speed.svg');
/** Where the tables stand in the document. */
const PLACE = /(?<=<!-- speed -->\n)[\s\S]*(?=<!-- \/speed -->)/;

/** Writes a whole run into docs/benchmarks.md, with its plot. */
export async function writeDocument(results: SpeedResults): Promise<void> {
  const { gateways, chat, search, start } = results;
  if (!gateways || !chat || !search || !start) throw new Error('The run is not a whole one.');
  const parts = [
    `${results.date}. ${results.described}.`,
    table(
      ['what', 'wanted', 'measured', ''],
      results.figures.map((figure) => [
        figure.name,
        wanted(figure),
        `${shown(figure.got, figure.digits)} ${figure.unit}`,
        verdict(figure).replace('not met', '**not met**'),
      ]),
    ),
    '![Requests a second through each gateway](benchmarks/speed.svg)',
    ...byScenario(gateways).map(([title, rows]) => `${title}:\n\n${gatewayTable(rows)}`),
    chatLines(chat, chat.sizes)
      .map((line) => `- ${line}`)
      .join('\n'),
    `Search and write in a memory of ${search.turns.toLocaleString('en')} turns:\n\n${table(
      ['memory', 'search, ms', 'write, ms', 'event loop held, ms'],
      search.rows.map(({ memory, searchMs, writeMs, heldMs }) => [
        memory,
        shown(searchMs, 2),
        shown(writeMs, 2),
        heldMs.toFixed(1),
      ]),
    )}`,
    `- ${startLine(start)}`,
  ];
  const markdown = await readFile(DOCUMENT, 'utf8');
  if (!PLACE.test(markdown)) throw new Error('docs/benchmarks.md has no place for the run.');
  const changed = markdown.replace(PLACE, () => `\n${parts.join('\n\n')}\n\n`);
  await writeFile(
    DOCUMENT,
    await format(changed, { ...(await resolveConfig(DOCUMENT)), parser: 'markdown' }),
  );
  await writeFile(PLOT, plotGateways(gateways, results.described));
}

function byScenario(rows: readonly GatewayRow[]): [title: string, rows: GatewayRow[]][] {
  const titles = [...new Set(rows.map(titleOf))];
  return titles.map((title) => [title, rows.filter((row) => titleOf(row) === title)]);
}

function gatewayTable(rows: readonly GatewayRow[]): string {
  return table(
    [
      '',
      'requests/s',
      '× direct',
      'CPU µs a request',
      'first byte, ms over direct',
      'p99, ms',
      'MB',
      'bytes',
    ],
    rows.map((row) => [
      row.target,
      shown(row.requestsPerSecond, 0),
      shown(row.ofDirect, 3),
      row.cpuMicroseconds ? shown(row.cpuMicroseconds, 0) : '',
      shown(row.firstByteOverDirectMs, 2),
      shown(row.p99Ms, 1),
      row.residentMegabytes?.toFixed(0) ?? '',
      row.asSent ? 'as sent' : 'changed',
    ]),
  );
}

function table(head: string[], rows: string[][]): string {
  const align = head.map((_, at) => (at === 0 ? '---' : '---:'));
  return [head, align, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
