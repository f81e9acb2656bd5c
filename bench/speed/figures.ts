import { shown, type Spread } from './spread.ts';

/** A figure that is to be reached. */
export interface Figure {
  name: string;
  /** What is to be reached: at most or at least this, in `unit`. */
  limit: { most: number } | { least: number };
  unit: string;
  got: Spread;
  digits: number;
}

/** Whether it was reached: by each round, by their median, or not. */
export function verdict({ limit, got }: Figure): 'met' | 'met at the median' | 'not met' {
  const reaches = (value: number) => ('most' in limit ? value <= limit.most : value >= limit.least);
  if (reaches('most' in limit ? got.highest : got.lowest)) return 'met';
  return reaches(got.median) ? 'met at the median' : 'not met';
}

/** What is to be reached, in words. */
export function wanted({ limit, unit }: Figure): string {
  return 'most' in limit ? `≤ ${String(limit.most)} ${unit}` : `≥ ${String(limit.least)} ${unit}`;
}

/** @param judged whether the run is one to judge by */
export function printFigures(figures: readonly Figure[], judged: boolean): void {
  console.table(
    Object.fromEntries(
      figures.map((figure) => [
        figure.name,
        {
          wanted: wanted(figure),
          measured: shown(figure.got, figure.digits),
          ...(judged ? { '': verdict(figure) } : {}),
        },
      ]),
    ),
  );
}
