import { likenessAbove, usualCosine } from '../../models/embeddings/usual-cosine.ts';
import type { IndexLookup } from '../../store/turn-index.ts';
import type { Similarities } from '../../store/vector-store.ts';

/**
 * Cosines as likeness from 0 to 1, by place. Zero is what is usual in this session for this question; one is the same
 * direction.
 */
export function likenessOf(
  { conversations, turns, cosines }: Similarities,
  index: Pick<IndexLookup, 'conversations' | 'starts' | 'minutes'>,
): Float64Array {
  const floor = usual(cosines);
  const likeness = new Float64Array(index.minutes.length);
  const starts = new Map([...index.conversations].map((ordinal, at) => [ordinal, at]));
  for (let i = 0; i < cosines.length; i += 1) {
    const like = likenessAbove(floor, cosines[i] ?? 0);
    if (like === 0) continue;
    const at = starts.get(conversations[i] ?? -1);
    if (at === undefined) continue;
    const place = (index.starts[at] ?? 0) + (turns[i] ?? 0) - 1;
    // The two were read one after the other: a turn of the one may be missing in the other.
    if (place < (index.starts[at + 1] ?? likeness.length)) likeness[place] = like;
  }
  return likeness;
}

function usual(cosines: Float32Array): number {
  let [sum, squares] = [0, 0];
  for (const cosine of cosines) {
    sum += cosine;
    squares += cosine * cosine;
  }
  const count = cosines.length;
  const mean = sum / Math.max(1, count);
  const deviation = Math.sqrt(Math.max(0, squares / Math.max(1, count) - mean * mean));
  return usualCosine({ count, mean, deviation });
}
