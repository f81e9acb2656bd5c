import type { Database } from 'better-sqlite3';
import type { LessonAgent, LessonEvidence, NewLesson } from '../lesson-store.ts';
import { evidenceJson, withEvidence, type LessonRow } from '../rows/lesson-rows.ts';
import { prepared } from './connection.ts';

export function findLesson(database: Database, sessionId: string, lessonId: string): LessonRow | undefined {
  return prepared(
    database,
    `SELECT l.* FROM lessons l JOIN sessions s USING (session_id)
      WHERE l.session_id = ? AND l.lesson_id = ? AND l.status <> 'deleted' AND s.status <> 'importing'`,
  ).get(sessionId, lessonId) as LessonRow | undefined;
}

/** The lesson with that hash, deleted ones among them. */
export function lessonByHash(
  database: Database,
  sessionId: string,
  agent: LessonAgent,
  hash: string,
): LessonRow | undefined {
  return prepared(database, 'SELECT * FROM lessons WHERE session_id = ? AND agent = ? AND hash = ?').get(
    sessionId,
    agent,
    hash,
  ) as LessonRow | undefined;
}

export function insertLesson(
  database: Database,
  sessionId: string,
  lesson: NewLesson,
  now: number,
): LessonRow {
  return prepared(
    database,
    `INSERT INTO lessons (session_id, lesson_no, lesson_id, agent, trigger_text, text, status, pinned, author,
       evidence, hash, version, created_at, updated_at)
     VALUES (@sessionId, (SELECT coalesce(max(lesson_no), 0) + 1 FROM lessons WHERE session_id = @sessionId),
       @lessonId, @agent, @trigger, @text, @status, @pinned, @author, @evidence, @hash, 1, @now, @now) RETURNING *`,
  ).get({
    sessionId,
    lessonId: lesson.lessonId,
    agent: lesson.agent,
    trigger: lesson.trigger,
    text: lesson.text,
    status: lesson.status,
    pinned: Number(lesson.pinned),
    author: lesson.author,
    evidence: evidenceJson(lesson.evidence),
    hash: lesson.hash,
    now,
  }) as LessonRow;
}

/** Writes a lesson that has changed, and keeps what it was. */
export function updateLesson(
  database: Database,
  before: LessonRow,
  after: LessonRow,
  now: number,
): LessonRow {
  prepared(
    database,
    `INSERT INTO lesson_versions (session_id, lesson_no, version, trigger_text, text, status, pinned, author, until)
     VALUES (@session_id, @lesson_no, @version, @trigger_text, @text, @status, @pinned, @author, @now)`,
  ).run({ ...before, now });
  return prepared(
    database,
    `UPDATE lessons SET trigger_text = @trigger_text, text = @text, status = @status, pinned = @pinned,
       author = @author, hash = @hash, with_trials = @with_trials, with_approved = @with_approved,
       without_trials = @without_trials, without_approved = @without_approved,
       version = version + 1, updated_at = @now
     WHERE session_id = @session_id AND lesson_no = @lesson_no RETURNING *`,
  ).get({ ...after, now }) as LessonRow;
}

/** Adds a cycle to what a lesson stands on. */
export function addEvidence(database: Database, row: LessonRow, more: LessonEvidence[], now: number): void {
  prepared(
    database,
    'UPDATE lessons SET evidence = ?, updated_at = ? WHERE session_id = ? AND lesson_no = ?',
  ).run(withEvidence(row, more), now, row.session_id, row.lesson_no);
}
