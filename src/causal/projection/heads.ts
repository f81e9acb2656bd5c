import type { Feed, Head } from './feeds.ts';

/** Heads read at a time when the whole record is gone through. */
const HEADS_PAGE = 500;

/** Every session of the record that has anything to follow, by key. */
export async function* allHeads(feed: Feed): AsyncGenerator<Head> {
  let after = 0;
  for (;;) {
    const heads = await feed.heads(after, HEADS_PAGE);
    yield* heads;
    const last = heads.at(-1);
    if (!last || heads.length < HEADS_PAGE) return;
    after = last.sessionKey;
  }
}

/** Those of these sessions that the record still has. One look for each: the record may have very many others. */
export async function* headsOf(feed: Feed, sessionKeys: Iterable<number>): AsyncGenerator<Head> {
  for (const key of sessionKeys) {
    const [head] = await feed.heads(key - 1, 1);
    if (head?.sessionKey === key) yield head;
  }
}
