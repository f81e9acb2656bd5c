import type { IndexLookup } from '../../store/turn-index.ts';

/** A pause of this many minutes inside a conversation begins another episode: the next sitting, or the next day. */
const PAUSE_MINUTES = 6 * 60;

/** Stretches of turns that were said together: `of[place]` is the episode of a turn, `starts` each one's first place. */
export interface Episodes {
  of: Int32Array;
  starts: Int32Array;
}

/** Cuts a session into episodes: at each new conversation and at each long pause. */
export function findEpisodes({ minutes, starts }: Pick<IndexLookup, 'minutes' | 'starts'>): Episodes {
  const of = new Int32Array(minutes.length);
  const found: number[] = [];
  let conversation = 0;
  for (let place = 0; place < minutes.length; place += 1) {
    const begins = starts[conversation] === place;
    if (begins) conversation += 1;
    const pause = Math.abs((minutes[place] ?? 0) - (minutes[place - 1] ?? 0));
    if (begins || pause > PAUSE_MINUTES) found.push(place);
    of[place] = found.length - 1;
  }
  return { of, starts: Int32Array.from(found) };
}
