/** The places of the `limit` highest scores above zero, highest first; equal scores in the order of the session. */
export function bestPlaces(
  total: Float64Array,
  limit: number,
  allowed: (place: number) => boolean = () => true,
): number[] {
  // A heap of the best so far would do the same; a bounded sorted list is simpler and as fast for the usual limits.
  const best: number[] = [];
  const beats = (a: number, b: number) =>
    (total[a] ?? 0) > (total[b] ?? 0) || ((total[a] ?? 0) === (total[b] ?? 0) && a < b);
  for (let place = 0; place < total.length; place += 1) {
    if ((total[place] ?? 0) <= 0 || !allowed(place)) continue;
    const worst = best.at(-1);
    if (best.length >= limit && (worst === undefined || !beats(place, worst))) continue;
    let [low, high] = [0, best.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (beats(place, best[middle] ?? 0)) high = middle;
      else low = middle + 1;
    }
    best.splice(low, 0, place);
    if (best.length > limit) best.pop();
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
  const beats = (a: number, b: number) => (total[b] ?? 0) - (total[a] ?? 0) || a - b;
  const byKind = new Map<string, number[]>();
  for (let place = 0; place < total.length; place += 1) {
    if (place % AT_ONCE === AT_ONCE - 1) await new Promise((resolve) => setImmediate(resolve));
    if ((total[place] ?? 0) <= 0 || !allowed(place)) continue;
    const { kind, most } = kindOf(place);
    const alike = byKind.get(kind);
    if (!alike) byKind.set(kind, [place]);
    else if (alike.length < most) alike.push(place);
    else {
      // The worst of its kind makes way. Few are of a kind.
      const worst = alike.reduce((low, each, at) => (beats(each, alike[low] ?? each) > 0 ? at : low), 0);
      if (beats(place, alike[worst] ?? place) < 0) alike[worst] = place;
    }
  }
  return [...byKind.values()].flat().sort(beats).slice(0, limit);
}
