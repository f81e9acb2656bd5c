import type { IndexLookup } from '../../store/turn-index.ts';

/** A pause of this many minutes inside a conversation begins another episode: the next sitting, or the next day. */
const PAUSE_MINUTES = 6 * 60;

/**
 * Cuts a session into episodes, stretches of turns that were said together: at each new conversation and at each long pause.
 * @param of gets for each turn the number of its episode, counted from 0; as long as `minutes` or longer
 */
export function findEpisodes(
  { minutes, starts }: Pick<IndexLookup, 'minutes' | 'starts'>,
  of: Int32Array,
): void {
  let episode = -1;
  let conversation = 0;
  let before = minutes[0] ?? 0;
  for (let place = 0; place < minutes.length; place += 1) {
    const begins = starts[conversation] === place;
    if (begins) conversation += 1;
    const minute = minutes[place] ?? 0;
    if (begins || Math.abs(minute - before) > PAUSE_MINUTES) episode += 1;
    before = minute;
    of[place] = episode;
  }
}
