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

export function isMet({ limit, got }: Figure): boolean {
  return 'most' in limit ? got.median <= limit.most : got.median >= limit.least;
}

/** What is to be reached, in words. */
export function wanted({ limit, unit }: Figure): string {
  return 'most' in limit ? `≤ ${String(limit.most)} ${unit}` : `≥ ${String(limit.least)} ${unit}`;
}

export function printFigures(figures: readonly Figure[]): void {
  console.table(
    Object.fromEntries(
      figures.map((figure) => [
        figure.name,
        {
          wanted: wanted(figure),
          measured: shown(figure.got, figure.digits),
          '': isMet(figure) ? 'met' : 'NOT MET',
        },
      ]),
    ),
  );
}
