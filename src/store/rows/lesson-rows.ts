import { CccError } from '../../base/ccc-error.ts';
import type {
  LessonAgent,
  LessonAuthor,
  LessonChanges,
  LessonEvidence,
  LessonRecord,
  LessonStatus,
  NewLesson,
} from '../lesson-store.ts';

export interface LessonRow {
  session_id: string;
  lesson_no: number;
  lesson_id: string;
  agent: LessonAgent;
  trigger_text: string;
  text: string;
  status: LessonStatus | 'deleted';
  pinned: number;
  author: LessonAuthor;
  evidence: string;
  hash: string;
  with_trials: number;
  with_approved: number;
  without_trials: number;
  without_approved: number;
  version: number;
  created_at: number;
  updated_at: number;
}

interface StoredEvidence {
  cycle_id: string;
  issue_ids: string[];
}

/** Cycles that are named as evidence; further ones say nothing new. */
const MOST_EVIDENCE = 20;

export function lessonFromRow(row: LessonRow): LessonRecord {
  return {
    sessionId: row.session_id,
    lessonId: row.lesson_id,
    lessonNo: row.lesson_no,
    agent: row.agent,
    trigger: row.trigger_text,
    text: row.text,
    // Deleted ones are never read as lessons.
    status: row.status as LessonStatus,
    pinned: row.pinned === 1,
    author: row.author,
    evidence: evidenceOf(row),
    hash: row.hash,
    withIt: { trials: row.with_trials, approved: row.with_approved },
    withoutIt: { trials: row.without_trials, approved: row.without_approved },
    version: row.version,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

function evidenceOf({ evidence }: LessonRow): LessonEvidence[] {
  return (JSON.parse(evidence) as StoredEvidence[]).map(({ cycle_id: cycleId, issue_ids: issueIds }) => ({
    cycleId,
    issueIds,
  }));
}

export function evidenceJson(evidence: LessonEvidence[]): string {
  const stored: StoredEvidence[] = evidence.map(({ cycleId, issueIds }) => ({
    cycle_id: cycleId,
    issue_ids: issueIds,
  }));
  return JSON.stringify(stored);
}

/** The evidence of a lesson with more, as it is stored. */
export function withEvidence(row: LessonRow, more: LessonEvidence[]): string {
  return evidenceJson([...evidenceOf(row), ...more].slice(-MOST_EVIDENCE));
}

/** A lesson that is there, in the words and with the status of one that says the same. */
export function restatedLesson(known: LessonRow, lesson: NewLesson): LessonRow {
  const { trigger, text, status, author } = lesson;
  return { ...known, trigger_text: trigger, text, status, author, pinned: lesson.pinned ? 1 : known.pinned };
}

/** What a lesson is after a person's changes. */
export function changedLesson(row: LessonRow, { words, status, pinned }: LessonChanges): LessonRow {
  const rewritten = words !== undefined && words.hash !== row.hash;
  // What was measured was measured on other words.
  const anew = { with_trials: 0, with_approved: 0, without_trials: 0, without_approved: 0 };
  return {
    ...row,
    ...(words
      ? { trigger_text: words.trigger, text: words.text, hash: words.hash, author: 'person' as const }
      : {}),
    ...(rewritten || (status === 'active' && row.status === 'retired') ? anew : {}),
    status: status ?? row.status,
    pinned: pinned === undefined ? row.pinned : Number(pinned),
  };
}

/** The error when a lesson is to take the words of another one. */
export function saidAlready(): CccError {
  return new CccError('invalid_request', 'Another lesson says this, or has said it and was deleted.', {
    param: 'text',
  });
}

/** The evidence of a lesson, as it is stored, without a cycle. */
export function withoutCycle(evidence: string, cycleId: string): string {
  const all = JSON.parse(evidence) as Partial<StoredEvidence>[];
  return JSON.stringify(all.filter((each) => each.cycle_id !== cycleId));
}
