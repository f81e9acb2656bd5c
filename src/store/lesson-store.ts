/** Only these two work, and learn. */
export type LessonAgent = 'beatrice' | 'codey';
export type LessonStatus = 'candidate' | 'active' | 'retired';
export type LessonAuthor = 'model' | 'person';

/** What a lesson was drawn from: issues of a cycle that a later draft of it has settled. */
export interface LessonEvidence {
  cycleId: string;
  issueIds: string[];
}

/** Cycles of one arm in which a lesson was chosen, and how many of them had their first draft approved. */
export interface Trials {
  trials: number;
  approved: number;
}

/** What an agent is to keep in mind next time. */
export interface LessonRecord {
  sessionId: string;
  lessonId: string;
  /** 1, 2, 3 … in the order of storing. */
  lessonNo: number;
  agent: LessonAgent;
  /** For what kind of work it is; empty when its own words say it. */
  trigger: string;
  text: string;
  /** Only active ones are used. Candidates wait for the person; retired ones are kept so as not to be learned again. */
  status: LessonStatus;
  /** Always used, and never retired by what was measured. */
  pinned: boolean;
  author: LessonAuthor;
  evidence: LessonEvidence[];
  hash: string;
  withIt: Trials;
  withoutIt: Trials;
  version: number;
  createdAt: number;
  updatedAt: number;
}

export interface LessonVersion {
  version: number;
  trigger: string;
  text: string;
  status: LessonStatus;
  pinned: boolean;
  author: LessonAuthor;
  /** When it was changed. */
  until: number;
}

export type NewLesson = Pick<
  LessonRecord,
  'lessonId' | 'agent' | 'trigger' | 'text' | 'status' | 'pinned' | 'author' | 'evidence' | 'hash'
>;

export interface LessonChanges {
  /** Words, with the hash of the text. */
  words?: { trigger: string; text: string; hash: string };
  status?: LessonStatus;
  pinned?: boolean;
}

/** What a cycle that has ended says of lessons. */
export interface CycleLessons {
  sessionId: string;
  cycleId: string;
  lessons: NewLesson[];
  /** Known lessons that say what this cycle has taught too. */
  confirmed: { lessonId: string; issueIds: string[] }[];
  /** Known lessons that this cycle has taught the opposite of: the person has to look. Active ones become candidates. */
  disputed: string[];
  /** Lessons that were chosen for the cycle, in which arm each, and whether the first draft was approved. */
  trial: { given: string[]; withheld: string[]; approved: boolean } | null;
  now: number;
}

export interface LessonStore {
  /** Newest first, without deleted ones. */
  list(sessionId: string, agent: LessonAgent, limit: number): Promise<LessonRecord[]>;
  /** Active ones of both agents, newest first, pinned ones before the others. */
  active(sessionId: string, limit: number): Promise<LessonRecord[]>;
  /** Of all sessions, those that were tried most often, the most tried first. */
  mostTried(limit: number): Promise<LessonRecord[]>;
  get(sessionId: string, lessonId: string): Promise<LessonRecord | null>;
  /** What it was before it was changed, newest first. */
  versions(sessionId: string, lessonId: string): Promise<LessonVersion[]>;
  /**
   * Stores what the person gives. One with the same hash takes these words and this status instead, a deleted one too:
   * the person may take back what they have deleted. @throws session_not_found
   */
  add(sessionId: string, lesson: NewLesson, now: number): Promise<LessonRecord>;
  /**
   * Changes what is named and keeps what was; null when there is none. `author` is who changed the words.
   * @throws version_conflict; invalid_request when another lesson has these words
   */
  change(input: {
    sessionId: string;
    lessonId: string;
    expectedVersion?: number;
    changes: LessonChanges;
    now: number;
  }): Promise<LessonRecord | null>;
  /** Erases its words, its evidence and its history, and keeps its hash. False when there was none. */
  remove(sessionId: string, lessonId: string, now: number): Promise<boolean>;
  /**
   * Stores what a cycle has taught, once: a second time changes nothing and returns false. A new lesson whose hash is
   * known is not stored: one in use is confirmed by it, one that was retired or deleted stays so.
   * @throws session_not_found, cycle_not_found
   */
  learn(input: CycleLessons): Promise<boolean>;
}
