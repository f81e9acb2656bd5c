import type { AgedEvent, RetentionStore } from '../../store/retention-store.ts';

/** Events read at a time. */
const PAGE = 200;

/**
 * The chains of a session whose every event is older than a time, one after the other: an event with all that led to it,
 * all that came of it, and so on. A chain with one younger event is kept whole. Each event is looked at once, however
 * long the chains are. Newest first, by when it happened: no event comes before what it led to, whatever the order in which
 * they were told, so that what is removed in this order and stops is cut at its end.
 */
export async function* expiredChains(
  store: Pick<RetentionStore, 'expiredEvents' | 'linked'>,
  sessionId: string,
  before: number,
): AsyncGenerator<number[]> {
  /** Events of chains that were looked at: kept ones, and given ones. */
  const seen = new Set<number>();
  for (let after = 0; ;) {
    const page = await store.expiredEvents({ sessionId, before, after, limit: PAGE });
    for (const event of page) {
      after = event.eventNo;
      if (seen.has(event.eventNo)) continue;
      const chain = await chainOf(store, sessionId, before, event, seen);
      if (chain) yield chain;
    }
    if (page.length < PAGE) return;
  }
}

/** Null when an event of it is younger, or belongs to a chain that is kept. */
async function chainOf(
  store: Pick<RetentionStore, 'linked'>,
  sessionId: string,
  before: number,
  event: AgedEvent,
  seen: Set<number>,
): Promise<number[] | null> {
  const chain = new Map([[event.eventNo, event.at]]);
  let isOld = true;
  for (let next = [event.eventNo]; next.length > 0 && isOld;) {
    const found: number[] = [];
    const ahead = next.splice(0, PAGE);
    for (const { eventNo: other, at } of await store.linked(sessionId, ahead)) {
      // Met before and not given: what it hangs on is young.
      if (at >= before || (seen.has(other) && !chain.has(other))) isOld = false;
      else if (!chain.has(other)) {
        chain.set(other, at);
        found.push(other);
      }
    }
    // Newest first: where a chain is young, it is so at its newer end.
    next = [...found.sort((a, b) => b - a), ...next];
  }
  for (const each of chain.keys()) seen.add(each);
  if (!isOld) return null;
  return [...chain].sort(([a, atA], [b, atB]) => atB - atA || b - a).map(([eventNo]) => eventNo);
}
