import type { LessonAgent, LessonRecord, LessonStatus, LessonVersion } from '../../store/lesson-store.ts';

/** A lesson as the person gives it. */
export interface LessonInput {
  text: string;
  /** For what kind of work it is; the words of the text when absent. */
  trigger?: string;
  pinned?: boolean;
}

/** What the agents of a session have learned, for the person to see and to set right. Unknown ids throw `*_not_found`. */
export interface LessonService {
  /** Newest first, with candidates and retired ones. */
  listLessons(sessionId: string, agent: LessonAgent): Promise<LessonRecord[]>;
  /** What a lesson is, and what it was before it was changed, newest first. */
  lessonHistory(
    sessionId: string,
    agent: LessonAgent,
    lessonId: string,
  ): Promise<{ lesson: LessonRecord; versions: LessonVersion[] }>;
  addLesson(input: { sessionId: string; agent: LessonAgent } & LessonInput): Promise<LessonRecord>;
  /** @throws version_conflict; invalid_request when another lesson says the same */
  changeLesson(input: {
    sessionId: string;
    agent: LessonAgent;
    lessonId: string;
    expectedVersion?: number;
    changes: Partial<LessonInput> & { status?: Exclude<LessonStatus, 'candidate'> };
  }): Promise<LessonRecord>;
  /** Erases what it says. That it was deleted is kept, so that it is not learned again. */
  deleteLesson(sessionId: string, agent: LessonAgent, lessonId: string): Promise<void>;
}
