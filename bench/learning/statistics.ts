import { chance } from './world.ts';

const RESAMPLES = 4_000;

export interface Interval {
  mean: number;
  low: number;
  high: number;
}

/** The mean over seeds with its 95 % interval, by drawing the seeds again with replacement. */
export function bootstrap(values: readonly number[]): Interval {
  const means = Array.from({ length: RESAMPLES }, (_, draw) =>
    meanOf(values.map((_each, at) => values[Math.floor(chance(draw, at, 'resample') * values.length)] ?? 0)),
  ).sort((a, b) => a - b);
  const at = (part: number) => means[Math.floor(part * (RESAMPLES - 1))] ?? NaN;
  return { mean: meanOf(values), low: at(0.025), high: at(0.975) };
}

export function meanOf(values: readonly number[]): number {
  return values.length === 0 ? NaN : values.reduce((sum, value) => sum + value, 0) / values.length;
}

export function shown({ mean, low, high }: Interval, digits = 2): string {
  return `${mean.toFixed(digits)} [${low.toFixed(digits)}, ${high.toFixed(digits)}]`;
}
