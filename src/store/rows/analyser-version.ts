import type { TermCounts } from '../records.ts';

/** The oldest version of the analyser among these; 1 where none is named. */
export function oldestVersion(terms: TermCounts[]): number {
  return Math.min(...terms.map(({ version }) => version ?? 1));
}
