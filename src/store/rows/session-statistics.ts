import { fromJson } from '../json-column.ts';
import type { SessionStatistics } from '../statistics.ts';

/** Turns of one agent, kind and day. */
export interface TurnsOfDay {
  agent: string;
  kind: string;
  /** The day's beginning (UTC), in milliseconds since the epoch. */
  day: number;
  turns: number;
  first: number;
  last: number;
}

export function turnStatistics(rows: readonly TurnsOfDay[]): SessionStatistics['turns'] {
  const sumBy = (keyOf: (row: TurnsOfDay) => string) => {
    const sums: Record<string, number> = {};
    for (const row of rows) sums[keyOf(row)] = (sums[keyOf(row)] ?? 0) + row.turns;
    return sums;
  };
  const days = sumBy(({ day }) => String(day));
  return {
    total: rows.reduce((sum, { turns }) => sum + turns, 0),
    byAgent: sumBy(({ agent }) => agent),
    byKind: sumBy(({ kind }) => kind),
    byDay: Object.entries(days)
      .map(([day, turns]) => ({ at: Number(day), turns }))
      .sort((a, b) => a.at - b.at)
      .map(({ at, turns }) => ({ day: new Date(at).toISOString().slice(0, 10), turns })),
    firstAt: rows.length === 0 ? null : Math.min(...rows.map(({ first }) => first)),
    lastAt: rows.length === 0 ? null : Math.max(...rows.map(({ last }) => last)),
  };
}

/**
 * Adds up `masked_secrets`, objects in JSON of counts by kind. Metadata of a turn may come from anywhere: what is no
 * count is none.
 */
export function maskedSecrets(objects: readonly string[]): Record<string, number> {
  const sums = new Map<string, number>();
  for (const json of objects) {
    for (const [name, count] of Object.entries(fromJson(json))) {
      if (Number.isSafeInteger(count)) sums.set(name, (sums.get(name) ?? 0) + Number(count));
    }
  }
  return Object.fromEntries(sums);
}

/** Jobs of a session by state, from what is there of each. */
export function jobStatistics(counts: Record<string, number>): SessionStatistics['jobs'] {
  return { ready: counts['ready'] ?? 0, running: counts['running'] ?? 0, failed: counts['failed'] ?? 0 };
}
