import { sameSense } from '../../memory/lessons/lesson-words.ts';
import { EmbeddingError, type EmbeddingProvider } from '../../models/embeddings/embedding-provider.ts';
import type { CycleLessons, LessonRecord } from '../../store/lesson-store.ts';

/**
 * Cosine from which two lessons say the same in other words. High: sentence embeddings put texts of one subject at 0.5 to
 * 0.8, and a lesson that is taken for another one is lost, while one that is kept twice is only shown twice.
 */
const SAME_MEANING = 0.9;
/** Known lessons that are compared, newest first. */
const MOST_COMPARED = 300;

type Learned = Pick<CycleLessons, 'lessons' | 'confirmed' | 'disputed'>;

/**
 * Takes out of what was learned the lessons that are known in other words: they are evidence for the known one, or nothing
 * where that was retired. Only where there is an embedding model and it answers; the words alone have judged before. Never
 * merges what is negated or has other figures: vectors hardly tell these apart. Nor what contradicts a known lesson: the
 * person has to see that.
 */
export async function mergeSameMeaning(
  learned: Learned,
  known: readonly LessonRecord[],
  embeddings: EmbeddingProvider | null,
  signal: AbortSignal,
): Promise<Learned> {
  const compared = known.slice(0, MOST_COMPARED);
  if (!embeddings || learned.lessons.length === 0 || compared.length === 0) return learned;
  const texts = [...learned.lessons, ...compared].map(({ text }) => text);
  let vectors: Float32Array[];
  try {
    vectors = await embeddings.embed(texts, { signal, urgent: false });
  } catch (error) {
    if (error instanceof EmbeddingError) return learned;
    throw error;
  }
  const lessons: Learned['lessons'] = [];
  const confirmed = [...learned.confirmed];
  for (const [at, lesson] of learned.lessons.entries()) {
    const own = vectors[at];
    const twin = compared
      .map((other, i) => ({ other, cosine: cosine(own, vectors[learned.lessons.length + i]) }))
      .filter(({ other, cosine }) => cosine >= SAME_MEANING && sameSense(other.text, lesson.text))
      .sort((a, b) => b.cosine - a.cosine)[0]?.other;
    if (!twin || lesson.status === 'candidate') {
      lessons.push(lesson);
    } else if (twin.status !== 'retired') {
      confirmed.push({
        lessonId: twin.lessonId,
        issueIds: lesson.evidence.flatMap(({ issueIds }) => issueIds),
      });
    }
  }
  return { ...learned, lessons, confirmed };
}

/** Of vectors of length 1. */
function cosine(a: Float32Array | undefined, b: Float32Array | undefined): number {
  return a && b ? a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0) : 0;
}
