/** A figure of several rounds. */
export interface Spread {
  median: number;
  lowest: number;
  highest: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const [lowest = NaN, median = NaN, highest = NaN] = [
    sorted[0],
    sorted[Math.floor(sorted.length / 2)],
    sorted.at(-1),
  ];
  return { median, lowest, highest };
}

/** The median and, in brackets, the lowest and the highest round. */
export function shown({ median, lowest, highest }: Spread, digits: number): string {
  if (lowest === highest) return median.toFixed(digits);
  return `${median.toFixed(digits)} (${lowest.toFixed(digits)}–${highest.toFixed(digits)})`;
}
