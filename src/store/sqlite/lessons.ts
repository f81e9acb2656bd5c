import type { Database } from 'better-sqlite3';
import { CccError } from '../../base/ccc-error.ts';
import type { CycleLessons, LessonRecord, LessonStore, LessonVersion, NewLesson } from '../lesson-store.ts';
import {
  changedLesson,
  lessonFromRow,
  restatedLesson,
  saidAlready,
  type LessonRow,
} from '../rows/lesson-rows.ts';
import { prepared } from './connection.ts';
import { insertCycleEvents } from './cycle-rows.ts';
import { addEvidence, findLesson, insertLesson, lessonByHash, updateLesson } from './lesson-rows.ts';
import type { StoreModule } from './store-module.ts';
import { requireSession } from './turn-rows.ts';

/** Nothing of a session that is still being imported is shown. */
const SHOWN = `EXISTS (SELECT 1 FROM sessions WHERE session_id = @sessionId AND status <> 'importing')`;

export const lessonsModule: StoreModule<LessonStore> = {
  writes: ['add', 'change', 'remove', 'learn'],
  erases: ['remove'],
  create: (database) => ({
    list: (sessionId, agent, limit) =>
      (
        prepared(
          database,
          `SELECT * FROM lessons WHERE session_id = @sessionId AND agent = @agent AND status <> 'deleted' AND ${SHOWN}
            ORDER BY lesson_no DESC LIMIT +@limit`,
        ).all({ sessionId, agent, limit }) as LessonRow[]
      ).map(lessonFromRow),
    active: (sessionId, limit) =>
      (
        prepared(
          database,
          `SELECT * FROM lessons WHERE session_id = @sessionId AND status = 'active' AND ${SHOWN}
            ORDER BY pinned DESC, lesson_no DESC LIMIT +@limit`,
        ).all({ sessionId, limit }) as LessonRow[]
      ).map(lessonFromRow),
    mostTried: (limit) =>
      (
        prepared(
          database,
          `SELECT * FROM lessons INDEXED BY lessons_by_trials
            WHERE with_trials + without_trials > 0 AND status <> 'deleted'
              AND NOT EXISTS (SELECT 1 FROM sessions WHERE sessions.session_id = lessons.session_id AND status = 'importing')
            ORDER BY with_trials + without_trials DESC LIMIT +?`,
        ).all(limit) as LessonRow[]
      ).map(lessonFromRow),
    get: (sessionId, lessonId) => {
      const row = findLesson(database, sessionId, lessonId);
      return row ? lessonFromRow(row) : null;
    },
    versions: (sessionId, lessonId) => {
      const row = findLesson(database, sessionId, lessonId);
      if (!row) return [];
      const rows = prepared(
        database,
        `SELECT version, trigger_text AS "trigger", text, status, pinned, author, until FROM lesson_versions
          WHERE session_id = ? AND lesson_no = ? ORDER BY version DESC`,
      ).all(sessionId, row.lesson_no) as (Omit<LessonVersion, 'pinned'> & { pinned: number })[];
      return rows.map((version) => ({ ...version, pinned: version.pinned === 1 }));
    },
    add: (sessionId, lesson, now) => addLesson(database, sessionId, lesson, now),
    change: (input) => changeLesson(database, input),
    remove: (sessionId, lessonId, now) => removeLesson(database, sessionId, lessonId, now),
    learn: (input) => learn(database, input),
  }),
};

function addLesson(database: Database, sessionId: string, lesson: NewLesson, now: number): LessonRecord {
  requireSession(database, sessionId);
  const known = lessonByHash(database, sessionId, lesson.agent, lesson.hash);
  if (!known) return lessonFromRow(insertLesson(database, sessionId, lesson, now));
  if (known.status !== 'deleted') {
    return lessonFromRow(updateLesson(database, known, restatedLesson(known, lesson), now));
  }
  // Nothing of a deleted one comes back: this is another lesson that says the same.
  prepared(database, 'DELETE FROM lessons WHERE session_id = ? AND lesson_no = ?').run(
    sessionId,
    known.lesson_no,
  );
  return lessonFromRow(insertLesson(database, sessionId, lesson, now));
}

function changeLesson(
  database: Database,
  { sessionId, lessonId, expectedVersion, changes, now }: Parameters<LessonStore['change']>[0],
): LessonRecord | null {
  requireSession(database, sessionId);
  const row = findLesson(database, sessionId, lessonId);
  if (!row) return null;
  if (expectedVersion !== undefined && expectedVersion !== row.version) {
    throw new CccError('version_conflict', undefined, { param: 'expected_version' });
  }
  const same = changes.words && lessonByHash(database, sessionId, row.agent, changes.words.hash);
  if (same && same.lesson_no !== row.lesson_no) {
    throw saidAlready();
  }
  const after = changedLesson(row, changes);
  return lessonFromRow(updateLesson(database, row, after, now));
}

function removeLesson(database: Database, sessionId: string, lessonId: string, now: number): boolean {
  const row = findLesson(database, sessionId, lessonId);
  if (!row) return false;
  prepared(database, 'DELETE FROM lesson_versions WHERE session_id = ? AND lesson_no = ?').run(
    sessionId,
    row.lesson_no,
  );
  prepared(
    database,
    `UPDATE lessons SET trigger_text = '', text = '', evidence = '[]', status = 'deleted', pinned = 0,
       with_trials = 0, with_approved = 0, without_trials = 0, without_approved = 0,
       version = version + 1, updated_at = ? WHERE session_id = ? AND lesson_no = ?`,
  ).run(now, sessionId, row.lesson_no);
  return true;
}

function learn(database: Database, input: CycleLessons): boolean {
  const { sessionId, cycleId, lessons, confirmed, disputed, trial, now } = input;
  requireSession(database, sessionId);
  const cycle = prepared(database, 'SELECT 1 FROM cycles WHERE session_id = ? AND cycle_id = ?');
  if (!cycle.get(sessionId, cycleId)) throw new CccError('cycle_not_found');
  const first = prepared(
    database,
    'INSERT INTO lesson_cycles (session_id, cycle_id, learned_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
  ).run(sessionId, cycleId, now);
  if (first.changes === 0) return false;
  const told = { lesson_ids: [] as string[], confirmed_ids: [] as string[] };
  const confirm = (row: LessonRow, evidence: NewLesson['evidence']) => {
    addEvidence(database, row, evidence, now);
    told.confirmed_ids.push(row.lesson_id);
  };
  for (const lesson of lessons) {
    const known = lessonByHash(database, sessionId, lesson.agent, lesson.hash);
    if (!known) {
      insertLesson(database, sessionId, lesson, now);
      told.lesson_ids.push(lesson.lessonId);
    } else if (known.status === 'active' || known.status === 'candidate') {
      confirm(known, lesson.evidence);
    }
  }
  for (const { lessonId, issueIds } of confirmed) {
    const row = findLesson(database, sessionId, lessonId);
    if (row && row.status !== 'retired') confirm(row, [{ cycleId, issueIds }]);
  }
  for (const lessonId of disputed) {
    const row = findLesson(database, sessionId, lessonId);
    if (row?.status === 'active') updateLesson(database, row, { ...row, status: 'candidate' }, now);
  }
  if (trial) countTrial(database, sessionId, trial);
  // The cycle's log names them; their words may be forgotten.
  if (told.lesson_ids.length + told.confirmed_ids.length > 0) {
    const events = [{ type: 'lessons_learned', data: told }];
    insertCycleEvents(database, { sessionId, cycleId, events, now });
  }
  return true;
}

function countTrial(
  database: Database,
  sessionId: string,
  { given, withheld, approved }: NonNullable<CycleLessons['trial']>,
): void {
  const count = (arm: 'with' | 'without', ids: string[]) => {
    const add = prepared(
      database,
      `UPDATE lessons SET ${arm}_trials = ${arm}_trials + 1, ${arm}_approved = ${arm}_approved + ?
        WHERE session_id = ? AND lesson_id = ? AND status <> 'deleted'`,
    );
    for (const id of ids) add.run(Number(approved), sessionId, id);
  };
  count('with', given);
  count('without', withheld);
}
