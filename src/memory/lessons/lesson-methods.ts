import { CccError } from '../../base/ccc-error.ts';
import { newId } from '../../base/ids.ts';
import type { LessonAgent, LessonChanges, LessonRecord } from '../../store/lesson-store.ts';
import type { MemoryDeps } from '../deps.ts';
import { found } from '../sessions.ts';
import type { LessonInput, LessonService } from './lesson-service.ts';
import { LONGEST_LESSON, lessonHash, squeezed } from './lesson-words.ts';

/** Lessons that are listed: far more than a session keeps in use. */
const MOST_LISTED = 1_000;
/** How often a change that names no version is tried when others write at the same time. */
const TRIES = 20;

export function lessonMethods({ dal, clock }: Pick<MemoryDeps, 'dal' | 'clock'>): LessonService {
  const get = async (sessionId: string, agent: LessonAgent, lessonId: string): Promise<LessonRecord> => {
    found(await dal.sessions.get(sessionId));
    const lesson = await dal.lessons.get(sessionId, lessonId);
    if (lesson?.agent !== agent) throw new CccError('lesson_not_found');
    return lesson;
  };
  return {
    async listLessons(sessionId, agent) {
      found(await dal.sessions.get(sessionId));
      return dal.lessons.list(sessionId, agent, MOST_LISTED);
    },
    async lessonHistory(sessionId, agent, lessonId) {
      const lesson = await get(sessionId, agent, lessonId);
      return { lesson, versions: await dal.lessons.versions(sessionId, lessonId) };
    },
    async addLesson({ sessionId, agent, text, trigger, pinned }) {
      const lesson = {
        lessonId: newId('les'),
        agent,
        ...wordsOf({ text, trigger: trigger ?? '' }),
        status: 'active' as const,
        pinned: pinned ?? false,
        author: 'person' as const,
        evidence: [],
      };
      return dal.lessons.add(sessionId, lesson, clock.now());
    },
    async changeLesson({ sessionId, agent, lessonId, expectedVersion, changes }) {
      for (let tries = 0; tries < TRIES; tries += 1) {
        const lesson = await get(sessionId, agent, lessonId);
        try {
          const changed = await dal.lessons.change({
            sessionId,
            lessonId,
            // The words that stay are taken from this version.
            expectedVersion: expectedVersion ?? lesson.version,
            changes: changesOf(lesson, changes),
            now: clock.now(),
          });
          if (!changed) throw new CccError('lesson_not_found');
          return changed;
        } catch (error) {
          const overtaken = error instanceof CccError && error.code === 'version_conflict';
          if (!overtaken || expectedVersion !== undefined) throw error;
        }
      }
      throw new CccError('version_conflict', undefined, { param: 'expected_version' });
    },
    async deleteLesson(sessionId, agent, lessonId) {
      await get(sessionId, agent, lessonId);
      if (!(await dal.lessons.remove(sessionId, lessonId, clock.now()))) {
        throw new CccError('lesson_not_found');
      }
    },
  };
}

function changesOf(
  lesson: LessonRecord,
  { text, trigger, pinned, status }: Parameters<LessonService['changeLesson']>[0]['changes'],
): LessonChanges {
  const words = { text: text ?? lesson.text, trigger: trigger ?? lesson.trigger };
  return {
    ...(text === undefined && trigger === undefined ? {} : { words: wordsOf(words) }),
    ...(pinned === undefined ? {} : { pinned }),
    ...(status === undefined ? {} : { status }),
  };
}

function wordsOf({ text, trigger }: Required<Pick<LessonInput, 'text' | 'trigger'>>) {
  const words = squeezed(text, LONGEST_LESSON.text);
  return { text: words, trigger: squeezed(trigger, LONGEST_LESSON.trigger), hash: lessonHash(words) };
}
