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
  /** UTC, `2026-05-08`, in order. */
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

function cycleCharts(rows: CycleDay[]): ChartData[] {
  const days = rows.map(({ day }) => day);
  return [
    {
      title: 'Cycles',
      about: 'Cycles that ended on a day: approved, and not.',
      kind: 'stacked',
      days,
      series: [
        { name: 'Approved', colour: 'good', values: rows.map(({ approved }) => approved) },
        {
          name: 'Not approved',
          colour: 'danger',
          values: rows.map(({ cycles, approved }) => cycles - approved),
        },
      ],
      say: plain,
    },
    {
      title: 'Rounds',
      about: 'Drafts that a cycle took, on average.',
      kind: 'lines',
      days,
      series: [
        { name: 'Drafts a cycle', colour: 'codey', values: rows.map(({ mean_rounds: mean }) => mean) },
      ],
      say: plain,
    },
    {
      title: 'Time',
      about: 'Working time of a cycle; waiting for a person or for tools does not count.',
      kind: 'lines',
      days,
      series: [
        { name: 'Half take at most', colour: 'accent', values: rows.map(({ p50_seconds: p50 }) => p50) },
        { name: '95 % take at most', colour: 'beatrice', values: rows.map(({ p95_seconds: p95 }) => p95) },
      ],
      say: seconds,
    },
  ];
}

function tokenChart(tokens: Analytics['tokens']): ChartData[] {
  const rows = tokens?.by_day ?? [];
  if (rows.length === 0) return [];
  const days = [...new Set(rows.map(({ day }) => day))].sort();
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
        values: days.map((day) =>
          rows
            .filter((row) => row.agent === agent && row.day === day)
            .reduce((sum, row) => sum + row.total_tokens, 0),
        ),
      })),
      say: plain,
    },
  ];
}
