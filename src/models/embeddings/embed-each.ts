import { EmbeddingError, type EmbeddingProvider } from './embedding-provider.ts';

/**
 * A vector for each text, in the background; an empty one for a text that is blank, that the model refuses, or in which it
 * sees nothing (a vector without direction is like no other).
 * @throws {EmbeddingError} when the model gives no vectors at all
 */
export async function embedEach(
  provider: EmbeddingProvider,
  texts: string[],
  signal: AbortSignal,
): Promise<Float32Array[]> {
  const speaking = texts.filter((text) => text.trim() !== '');
  const made = speaking.length === 0 ? [] : await embedOrPassOver(provider, speaking, signal);
  let next = 0;
  return texts.map((text) => {
    const vector = text.trim() === '' ? undefined : made[next++];
    return vector?.some((value) => value !== 0) ? vector : new Float32Array();
  });
}

/** Of a portion that is refused, each text alone: one that is too long must not stand in the way of the others. */
async function embedOrPassOver(
  provider: EmbeddingProvider,
  texts: string[],
  signal: AbortSignal,
): Promise<Float32Array[]> {
  try {
    return await provider.embed(texts, { signal, urgent: false });
  } catch (error) {
    if (!(error instanceof EmbeddingError) || !error.refused) throw error;
    if (texts.length === 1) return [new Float32Array()];
  }
  const vectors: Float32Array[] = [];
  for (const text of texts) vectors.push(...(await embedOrPassOver(provider, [text], signal)));
  return vectors;
}
