import type { IndexLookup } from '../../store/turn-index.ts';
import type { Similarities } from '../../store/vector-store.ts';

/** Below this cosine nothing is said of likeness: unrelated texts reach it with most models. */
const LEAST_COSINE = 0.2;
/** From so many vectors on, the session itself shows what is usual between its turns and the question. */
const ENOUGH = 16;

/**
 * Cosines as likeness from 0 to 1, by place. Zero is what is usual in this session for this question (the mean and one
 * standard deviation), because models differ in what cosine unrelated texts have; one is the same direction.
 */
export function likenessOf(
  { conversations, turns, cosines }: Similarities,
  index: Pick<IndexLookup, 'conversations' | 'starts' | 'minutes'>,
): Float64Array {
  const floor = usual(cosines);
  const likeness = new Float64Array(index.minutes.length);
  const starts = new Map([...index.conversations].map((ordinal, at) => [ordinal, at]));
  for (let i = 0; i < cosines.length; i += 1) {
    const above = (cosines[i] ?? 0) - floor;
    if (above <= 0) continue;
    const at = starts.get(conversations[i] ?? -1);
    if (at === undefined) continue;
    const place = (index.starts[at] ?? 0) + (turns[i] ?? 0) - 1;
    // The two were read one after the other: a turn of the one may be missing in the other.
    if (place < (index.starts[at + 1] ?? likeness.length)) likeness[place] = Math.min(1, above / (1 - floor));
  }
  return likeness;
}

function usual(cosines: Float32Array): number {
  if (cosines.length < ENOUGH) return LEAST_COSINE;
  let [sum, squares] = [0, 0];
  for (const cosine of cosines) {
    sum += cosine;
    squares += cosine * cosine;
  }
  const mean = sum / cosines.length;
  const deviation = Math.sqrt(Math.max(0, squares / cosines.length - mean * mean));
  // Never so high that the same text would not count.
  return Math.min(0.95, Math.max(LEAST_COSINE, mean + deviation));
}
