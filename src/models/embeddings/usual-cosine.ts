/** Below this cosine nothing is said of likeness: unrelated texts reach it with most models. */
const LEAST_COSINE = 0.2;
/** From so many vectors on, they themselves show what is usual between them and the question. */
const ENOUGH = 16;

/** What cosines there are between one text and many others. */
export interface CosineFigures {
  count: number;
  mean: number;
  deviation: number;
}

/**
 * The cosine from which a text is more alike than is usual: the mean and one standard deviation, because models differ in
 * what cosine unrelated texts have.
 */
export function usualCosine({ count, mean, deviation }: CosineFigures): number {
  if (count < ENOUGH) return LEAST_COSINE;
  // Never so high that the same text would not count.
  return Math.min(0.95, Math.max(LEAST_COSINE, mean + deviation));
}

/** A cosine as likeness: 0 up to what is usual, 1 in the same direction. */
export function likenessAbove(usual: number, cosine: number): number {
  return Math.max(0, Math.min(1, (cosine - usual) / (1 - usual)));
}
