import type { LessonAgent, NewLesson } from '../lesson-store.ts';
import { evidenceJson, type LessonRow } from '../rows/lesson-rows.ts';
import type { Queries } from './queries.ts';

export function findLesson(db: Queries, sessionId: string, lessonId: string): Promise<LessonRow | undefined> {
  return db.get<LessonRow>(
    `SELECT l.* FROM lessons l JOIN sessions s USING (session_id)
      WHERE session_id = $1 AND l.lesson_id = $2 AND l.status <> 'deleted' AND s.status <> 'importing'`,
    sessionId,
    lessonId,
  );
}

/** The lesson with that hash, deleted ones among them. */
export function lessonByHash(
  db: Queries,
  sessionId: string,
  agent: LessonAgent,
  hash: string,
): Promise<LessonRow | undefined> {
  return db.get<LessonRow>(
    'SELECT * FROM lessons WHERE session_id = $1 AND agent = $2 AND hash = $3',
    sessionId,
    agent,
    hash,
  );
}

export async function insertLesson(
  db: Queries,
  sessionId: string,
  lesson: NewLesson,
  now: number,
): Promise<LessonRow> {
  const row = await db.get<LessonRow>(
    `INSERT INTO lessons (session_id, lesson_no, lesson_id, agent, trigger_text, text, status, pinned, author,
       evidence, hash, version, created_at, updated_at)
     VALUES ($1, (SELECT coalesce(max(lesson_no), 0) + 1 FROM lessons WHERE session_id = $1),
       $2, $3, $4, $5, $6, $7, $8, $9, $10, 1, $11, $11) RETURNING *`,
    sessionId,
    lesson.lessonId,
    lesson.agent,
    lesson.trigger,
    lesson.text,
    lesson.status,
    Number(lesson.pinned),
    lesson.author,
    evidenceJson(lesson.evidence),
    lesson.hash,
    now,
  );
  return row as LessonRow;
}

/** Writes a lesson that has changed, and keeps what it was. */
export async function updateLesson(
  db: Queries,
  before: LessonRow,
  after: LessonRow,
  now: number,
): Promise<LessonRow> {
  await db.run(
    `INSERT INTO lesson_versions (session_id, lesson_no, version, trigger_text, text, status, pinned, author, until)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    before.session_id,
    before.lesson_no,
    before.version,
    before.trigger_text,
    before.text,
    before.status,
    before.pinned,
    before.author,
    now,
  );
  const row = await db.get<LessonRow>(
    `UPDATE lessons SET trigger_text = $3, text = $4, status = $5, pinned = $6, author = $7, hash = $8,
       with_trials = $9, with_approved = $10, without_trials = $11, without_approved = $12,
       version = version + 1, updated_at = $13
     WHERE session_id = $1 AND lesson_no = $2 RETURNING *`,
    after.session_id,
    after.lesson_no,
    after.trigger_text,
    after.text,
    after.status,
    after.pinned,
    after.author,
    after.hash,
    after.with_trials,
    after.with_approved,
    after.without_trials,
    after.without_approved,
    now,
  );
  return row as LessonRow;
}
