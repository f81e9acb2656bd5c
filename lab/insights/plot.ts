import uPlot from 'uplot';
import type { ChartData } from './charts.ts';

const HEIGHT = 200;
/** What the figures beside a chart take, and what the name of a day below it takes, in pixels. */
const Y_AXIS = 64;
const DAY_ROOM = 64;
const WHOLE = Array.from({ length: 10 }, (_, power) => [1, 2, 5].map((step) => step * 10 ** power)).flat();
/** A bar takes this part of its day's room, and no more than so many pixels. */
const BAR: [share: number, most: number] = [0.6, 56];

/**
 * Draws a chart into an element. `hovered` hears which day the pointer is at, null when it has left. The result takes
 * the drawing away again.
 */
export function plot(
  into: HTMLElement,
  { kind, days, series, say }: ChartData,
  hovered: (day: number | null) => void,
): () => void {
  const colour = colours(into);
  const ink = colour('ink-quiet');
  const line = { stroke: colour('line'), width: 1 };
  const stacked = kind === 'stacked';
  const shown = stacked ? stack(series.map(({ values }) => values)) : series.map(({ values }) => values);
  // The highest stack is drawn first, the lower ones over it.
  const order = series.map((_, at) => at);
  if (stacked) order.reverse();
  const options: uPlot.Options = {
    width: Math.max(1, into.clientWidth),
    height: HEIGHT,
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { show: !stacked } },
    scales: {
      x: { time: false, range: [-0.5, days.length - 0.5] },
      y: { range: (_, __, most) => [0, most > 0 ? most * 1.08 : 1] },
    },
    axes: [
      {
        stroke: ink,
        grid: { show: false },
        ticks: line,
        splits: ({ width }) => {
          const apart = Math.ceil((days.length * DAY_ROOM) / Math.max(1, width - Y_AXIS));
          return days.map((_, at) => at).filter((at) => at % apart === 0);
        },
        values: (_, places) => places.map((at) => shortDay(days[at] ?? '')),
      },
      {
        stroke: ink,
        grid: line,
        ticks: line,
        size: Y_AXIS,
        values: (_, values) => values.map(say),
        // What is counted comes in whole numbers.
        ...(stacked ? { incrs: WHOLE } : {}),
      },
    ],
    series: [
      {},
      ...order.map((at): uPlot.Series => {
        const own = colour(series[at]?.colour ?? 'accent');
        return {
          stroke: own,
          width: stacked ? 0 : 2,
          // A line goes on over days without figures.
          spanGaps: true,
          points: { show: !stacked, size: 7, fill: own },
          ...(stacked ? { fill: own, paths: bars } : {}),
        };
      }),
    ],
    hooks: {
      setCursor: [({ cursor }) => hovered(cursor.idx ?? null)],
    },
  };
  const data = [days.map((_, at) => at), ...order.map((at) => shown[at] ?? [])] as uPlot.AlignedData;
  const drawn = new uPlot(options, data, into);
  const observer = new ResizeObserver(() => {
    drawn.setSize({ width: Math.max(1, into.clientWidth), height: HEIGHT });
  });
  observer.observe(into);
  return () => {
    observer.disconnect();
    drawn.destroy();
  };
}

const bars = uPlot.paths.bars?.({ size: BAR }) ?? (() => null);

/** Each row on top of those before it. */
function stack(rows: (number | null)[][]): (number | null)[][] {
  const tops: (number | null)[][] = [];
  for (const row of rows) {
    const below = tops.at(-1);
    tops.push(row.map((value, at) => (value ?? 0) + (below?.[at] ?? 0)));
  }
  return tops;
}

function shortDay(day: string): string {
  return day === '' ? '' : SHORT_DAY.format(new Date(`${day}T00:00:00Z`));
}

const SHORT_DAY = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', timeZone: 'UTC' });

/** What the colours of `tokens.css` are in the theme of this moment: a canvas knows no variables. */
function colours(into: HTMLElement): (name: string) => string {
  const probe = into.appendChild(document.createElement('span'));
  const known = new Map<string, string>();
  const look = (name: string) => {
    probe.style.color = `var(--${name})`;
    return window.getComputedStyle(probe).color;
  };
  for (const name of ['ink-quiet', 'line', 'good', 'danger', 'accent', 'wykeve', 'beatrice', 'codey'])
    known.set(name, look(name));
  probe.remove();
  return (name) => known.get(name) ?? known.get('accent') ?? 'currentColor';
}
