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

export function printFigures(figures: readonly Figure[]): void {
  console.table(
    Object.fromEntries(
      figures.map((figure) => [
        figure.name,
        {
          wanted:
            'most' in figure.limit
              ? `≤ ${String(figure.limit.most)} ${figure.unit}`
              : `≥ ${String(figure.limit.least)} ${figure.unit}`,
          measured: shown(figure.got, figure.digits),
          '': isMet(figure) ? 'met' : 'NOT MET',
        },
      ]),
    ),
  );
}
