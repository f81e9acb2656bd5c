import { call } from './http.ts';
import type { AgentName, Paged } from './types.ts';

/** Those who learn. */
export const LEARNERS = ['beatrice', 'codey'] as const;
export type Learner = (typeof LEARNERS)[number];

export interface LessonWords {
  text: string;
  trigger: string;
}

export interface Lesson extends LessonWords {
  lesson_id: string;
  agent: Learner;
  status: 'candidate' | 'active' | 'retired';
  pinned: boolean;
  author: 'model' | 'person';
  evidence: { cycle_id: string; issue_ids: string[] }[];
  effect: {
    with: { trials: number; approved: number };
    without: { trials: number; approved: number };
    /** The probability that it helps, from 0 to 1. */
    helps: number;
  };
  version: number;
  updated_at: string;
}

/** What a lesson was, until when. */
export interface LessonVersion extends LessonWords {
  version: number;
  status: Lesson['status'];
  pinned: boolean;
  changed_at: string;
}

export interface Habits {
  interactions: number;
  mean_words: number;
  /** How many turns in each hour of the day, UTC. */
  by_hour: number[];
  first_at: string;
  last_at: string;
  topics?: { topic: string; directives: number }[];
}

export interface AgentState {
  agent: AgentName;
  version: number;
  state: { habits?: Habits; [other: string]: unknown };
}

export interface FactWords {
  subject: string;
  attribute: string;
  value: string;
}

export interface Fact extends FactWords {
  fact_id: string;
  /** The fact as a sentence. */
  text: string;
  valid_from: string;
  valid_until: string | null;
  superseded_by: string | null;
  conversation_id: string | null;
  source_turn_id: string | null;
  author: 'model' | 'rule' | 'person';
  pinned: boolean;
  version: number;
}

/** What a fact said before it was corrected. */
export interface FactVersion extends FactWords {
  version: number;
  text: string;
  corrected_at: string;
}

const id = encodeURIComponent;
const of = (sessionId: string) => `/api/v2/sessions/${id(sessionId)}`;
const lessonsOf = (sessionId: string, agent: Learner) => `${of(sessionId)}/agents/${agent}/lessons`;
const one = (sessionId: string, { agent, lesson_id: lessonId }: Lesson) =>
  `${lessonsOf(sessionId, agent)}/${id(lessonId)}`;
const fact = (sessionId: string, factId: string) => `${of(sessionId)}/facts/${id(factId)}`;

/** Words replace words, so they name the version that they replace; a pin or an end takes nothing away. */
function over<C extends object>({ version }: { version: number }, changes: C) {
  return 'text' in changes || 'value' in changes ? { ...changes, expected_version: version } : changes;
}

export const learned = {
  state: (sessionId: string, agent: AgentName) =>
    call<AgentState>('GET', `${of(sessionId)}/agents/${agent}/state`),
  lessons: (sessionId: string, agent: Learner) =>
    call<{ lessons: Lesson[] }>('GET', lessonsOf(sessionId, agent)),
  addLesson: (sessionId: string, agent: Learner, words: LessonWords) =>
    call<Lesson>('POST', lessonsOf(sessionId, agent), words),
  /** Other words are refused when the lesson is not the one that the person has seen. */
  changeLesson: (
    sessionId: string,
    lesson: Lesson,
    changes: Partial<LessonWords & { pinned: boolean; status: 'active' | 'retired' }>,
  ) => call<Lesson>('PATCH', one(sessionId, lesson), over(lesson, changes)),
  deleteLesson: (sessionId: string, lesson: Lesson) => call<undefined>('DELETE', one(sessionId, lesson)),
  lessonHistory: (sessionId: string, lesson: Lesson) =>
    call<{ versions: LessonVersion[] }>('GET', `${one(sessionId, lesson)}/history`),

  facts: (sessionId: string, history: boolean, cursor: string | null) =>
    call<Paged<Fact>>(
      'GET',
      `${of(sessionId)}/facts?limit=50&history=${String(history)}${cursor === null ? '' : `&cursor=${id(cursor)}`}`,
    ),
  addFact: (sessionId: string, words: FactWords) => call<Fact>('POST', `${of(sessionId)}/facts`, words),
  /** Other words are refused when the fact is not the one that the person has seen. */
  correctFact: (
    sessionId: string,
    given: Fact,
    changes: Partial<FactWords & { pinned: boolean; valid_until: string | null }>,
  ) => call<Fact>('PATCH', fact(sessionId, given.fact_id), over(given, changes)),
  forgetFact: (sessionId: string, { fact_id: factId }: Fact) =>
    call<undefined>('DELETE', fact(sessionId, factId)),
  factHistory: (sessionId: string, { fact_id: factId }: Fact) =>
    call<{ versions: FactVersion[] }>('GET', fact(sessionId, factId)),
};
