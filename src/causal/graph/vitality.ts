import type { RankedEvent } from '../../store/causal-store.ts';

/** Days after which an event that nothing is linked to and nobody asked about weighs half of what it can lose. */
const HALF_LIFE_DAYS = 90;
/** What is left of the weight of a very old one. */
const FLOOR = 0.5;
const DAY_MS = 24 * 60 * 60_000;

/**
 * How much an event weighs in ranking: 1 when it is part of a chain, however old; else
 * `0.5 + 0.5 · 2^(−d / 90)`, d being the days since it happened, was stored or was last of use, whichever is latest.
 * This removes nothing: only the retention setting does, in whole chains.
 */
export function vitality(
  event: Pick<RankedEvent, 'linked' | 'happenedAt' | 'storedAt' | 'lastUsed'>,
  now: number,
): number {
  if (event.linked) return 1;
  const latest = Math.max(event.happenedAt, event.storedAt, event.lastUsed);
  const days = Math.max(0, now - latest) / DAY_MS;
  return FLOOR + (1 - FLOOR) * 2 ** (-days / HALF_LIFE_DAYS);
}
