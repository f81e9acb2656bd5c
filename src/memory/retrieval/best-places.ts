/** The places of the `limit` highest scores above zero, highest first; equal scores in the order of the session. */
export function bestPlaces(
  total: Float64Array,
  limit: number,
  allowed: (place: number) => boolean = () => true,
): number[] {
  const best: number[] = [];
  for (let place = 0; place < total.length; place += 1) {
    if ((total[place] ?? 0) > 0 && allowed(place)) keepBest(best, place, limit, total);
  }
  return best;
}

/** Turns that are looked at between two turns of the event loop. */
const AT_ONCE = 20_000;

/**
 * The same, with no more of those that are alike than there may be of each kind: where a thing was said a hundred times, what else
 * was said would not be among the best.
 */
export async function bestUnlikePlaces(
  total: Float64Array,
  limit: number,
  allowed: (place: number) => boolean,
  kindOf: (place: number) => { kind: string; most: number },
): Promise<number[]> {
  const byKind = new Map<string, number[]>();
  for (let place = 0; place < total.length; place += 1) {
    if (place % AT_ONCE === AT_ONCE - 1) await new Promise((resolve) => setImmediate(resolve));
    if ((total[place] ?? 0) <= 0 || !allowed(place)) continue;
    const { kind, most } = kindOf(place);
    let alike = byKind.get(kind);
    if (!alike) byKind.set(kind, (alike = []));
    keepBest(alike, place, most, total);
  }
  return [...byKind.values()]
    .flat()
    .sort((a, b) => (total[b] ?? 0) - (total[a] ?? 0) || a - b)
    .slice(0, limit);
}

/**
 * Puts a place among the best so far, where it belongs to them, and the worst of more than `limit` out. A heap would do the same;
 * a bounded sorted list is simpler and as fast for the usual limits.
 */
function keepBest(best: number[], place: number, limit: number, total: Float64Array): void {
  // Most are not among them.
  if (best.length >= limit && !beats(place, best[best.length - 1] ?? 0, total)) return;
  let [low, high] = [0, best.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (beats(place, best[middle] ?? 0, total)) high = middle;
    else low = middle + 1;
  }
  best.splice(low, 0, place);
  if (best.length > limit) best.pop();
}

function beats(a: number, b: number, total: Float64Array): boolean {
  const [first, second] = [total[a] ?? 0, total[b] ?? 0];
  return first > second || (first === second && a < b);
}
