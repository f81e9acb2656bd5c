import type { LessonRecord } from '../../store/lesson-store.ts';
import type { MemoryDAL } from '../../store/memory-dal.ts';
import { countTokens } from '../../text/tokens.ts';
import { probabilityThatItHelps } from './effect.ts';
import { stemsOf } from './lesson-words.ts';

/** What lessons may take of a prompt. */
const MOST_LESSONS = 8;
const MOST_TOKENS = 600;
/** Active lessons of a session that are looked at. */
const MOST_LOOKED_AT = 300;
/** How much of a lesson's words, or of the directive's where those are fewer, has to be in the other. */
const BEARS_ON = 0.4;
/** One word in common is chance, unless there is only one. */
const FEWEST_SHARED = 2;

/** A lesson for a directive, with why it is here. */
export interface ChosenLesson {
  lesson: LessonRecord;
  /** 0 to 1: how much it bears on the directive, weighed by how probably it helps. */
  score: number;
  source: 'pinned' | 'relevant';
}

/** The line by which a lesson stands in a prompt. A learned one's trigger is for finding it: it quotes a directive. */
export function lessonLine({ author, trigger, text }: LessonRecord): string {
  return author === 'person' && trigger !== '' ? `- (${trigger}) ${text}` : `- ${text}`;
}

/** The active lessons for a directive: pinned ones, then those that bear on it most and have helped most. */
export async function chooseLessons(
  { dal }: { dal: Pick<MemoryDAL, 'lessons'> },
  sessionId: string,
  directive: string,
): Promise<ChosenLesson[]> {
  const active = await dal.lessons.active(sessionId, MOST_LOOKED_AT);
  if (active.length === 0) return [];
  const asked = stemsOf(directive);
  const ranked = active
    .flatMap((lesson): ChosenLesson[] => {
      const relevance = bearingOf(asked, lesson);
      if (!lesson.pinned && relevance === 0) return [];
      const helps = probabilityThatItHelps(lesson.withIt, lesson.withoutIt);
      return [{ lesson, score: relevance * helps, source: lesson.pinned ? 'pinned' : 'relevant' }];
    })
    .sort(
      (a, b) =>
        Number(b.lesson.pinned) - Number(a.lesson.pinned) ||
        b.score - a.score ||
        b.lesson.lessonNo - a.lesson.lessonNo,
    );
  const chosen: ChosenLesson[] = [];
  let room = MOST_TOKENS;
  for (const each of ranked) {
    if (chosen.length === MOST_LESSONS) break;
    const tokens = countTokens(`${lessonLine(each.lesson)}\n`);
    if (tokens > room) continue;
    room -= tokens;
    chosen.push(each);
  }
  return chosen;
}

/** 0 when it does not bear on the directive, else the part of its trigger, or of the directive, that is in both. */
function bearingOf(asked: ReadonlySet<string>, { trigger, text }: LessonRecord): number {
  const words = stemsOf(trigger === '' ? text : trigger);
  // One word is too little of a directive to tell what it is about.
  const fewer = Math.min(words.size, Math.max(asked.size, FEWEST_SHARED));
  if (fewer === 0) return 0;
  const shared = [...words].filter((each) => asked.has(each)).length;
  const part = shared / fewer;
  return shared >= Math.min(FEWEST_SHARED, fewer) && part >= BEARS_ON ? part : 0;
}
