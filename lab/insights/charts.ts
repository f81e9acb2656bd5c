import type { Analytics, CycleDay } from '../api/insights.ts';
import { capitalised, span } from '../text/words.ts';

/** One row of figures over the days. */
export interface Series {
  name: string;
  /** A colour of `tokens.css`, without its dashes. */
  colour: string;
  /** One for each day; null where there is nothing to say. */
  values: (number | null)[];
}

/** What a chart shows, before it is drawn. */
export interface ChartData {
  title: string;
  /** What the figures mean, in a sentence. */
  about: string;
  kind: 'stacked' | 'lines';
  /** UTC, `2026-05-08`, each from the first to the last. */
  days: string[];
  series: Series[];
  /** A figure in words. */
  say: (value: number) => string;
}

const NUMBER = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });
const plain = (value: number) => NUMBER.format(value);
const seconds = (value: number) => span(value * 1_000);

/** The charts for which there are figures. */
export function chartsOf({ cycle_figures: cycles, tokens }: Analytics): ChartData[] {
  const days = cycles?.by_day ?? [];
  return [...(days.length > 0 ? cycleCharts(days) : []), ...tokenChart(tokens)];
}

const DAY_MS = 86_400_000;
/** As many days are drawn one by one; what spans more (a wrong clock, an import) is drawn without the empty ones. */
const MOST_DAYS = 5_000;

/** Each day from the first to the last, so that a pause looks like one. */
function everyDay(days: string[]): string[] {
  const known = [...new Set(days)].sort();
  const [first, last] = [known[0], known.at(-1)].map((day) => Date.parse(`${day ?? ''}T00:00:00Z`) / DAY_MS);
  if (first === undefined || last === undefined || !(last - first < MOST_DAYS)) return known;
  return Array.from({ length: last - first + 1 }, (_, at) =>
    new Date((first + at) * DAY_MS).toISOString().slice(0, 10),
  );
}

function cycleCharts(rows: CycleDay[]): ChartData[] {
  const days = everyDay(rows.map(({ day }) => day));
  const byDay = new Map(rows.map((row) => [row.day, row]));
  const values = (figure: (row: CycleDay) => number) =>
    days.map((day) => {
      const row = byDay.get(day);
      return row ? figure(row) : null;
    });
  return [
    {
      title: 'Cycles',
      about: 'Cycles that ended on a day: approved, and not.',
      kind: 'stacked',
      days,
      series: [
        { name: 'Approved', colour: 'good', values: values(({ approved }) => approved) },
        {
          name: 'Not approved',
          colour: 'danger',
          values: values(({ cycles, approved }) => cycles - approved),
        },
      ],
      say: plain,
    },
    {
      title: 'Rounds',
      about: 'Drafts that a cycle took, on average.',
      kind: 'lines',
      days,
      series: [{ name: 'Drafts a cycle', colour: 'codey', values: values(({ mean_rounds: mean }) => mean) }],
      say: plain,
    },
    {
      title: 'Time',
      about: 'Working time of a cycle; waiting for a person or for tools does not count.',
      kind: 'lines',
      days,
      series: [
        { name: 'Half within', colour: 'accent', values: values(({ p50_seconds: p50 }) => p50) },
        { name: '95 % within', colour: 'beatrice', values: values(({ p95_seconds: p95 }) => p95) },
      ],
      say: seconds,
    },
  ];
}

function tokenChart(figures: Analytics['tokens']): ChartData[] {
  const rows = figures?.by_day ?? [];
  if (rows.length === 0) return [];
  const days = everyDay(rows.map(({ day }) => day));
  const sums = new Map<string, number>();
  for (const { agent, day, total_tokens: tokens } of rows) {
    sums.set(`${agent} ${day}`, (sums.get(`${agent} ${day}`) ?? 0) + tokens);
  }
  const agents = [...new Set(rows.map(({ agent }) => agent))].sort();
  return [
    {
      title: 'Tokens',
      about: 'Tokens of all calls, prompt and answer together.',
      kind: 'stacked',
      days,
      series: agents.map((agent) => ({
        name: capitalised(agent),
        colour: agent,
        values: days.map((day) => sums.get(`${agent} ${day}`) ?? null),
      })),
      say: plain,
    },
  ];
}
