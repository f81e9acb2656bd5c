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

/**
 * The same, with at most `mostAlike` of those that are alike: where a thing was said a hundred times, what else was said would
 * not be among the best.
 */
export function bestUnlikePlaces(
  total: Float64Array,
  limit: number,
  allowed: (place: number) => boolean,
  { likeness, mostAlike }: { likeness: (place: number) => string; mostAlike: number },
): number[] {
  const ranked: number[] = [];
  for (let place = 0; place < total.length; place += 1) {
    if ((total[place] ?? 0) > 0 && allowed(place)) ranked.push(place);
  }
  ranked.sort((a, b) => (total[b] ?? 0) - (total[a] ?? 0) || a - b);
  const alike = new Map<string, number>();
  const best: number[] = [];
  for (const place of ranked) {
    if (best.length >= limit) break;
    const kind = likeness(place);
    const before = alike.get(kind) ?? 0;
    if (before >= mostAlike) continue;
    alike.set(kind, before + 1);
    best.push(place);
  }
  return best;
}
