import { CccError } from '../../base/ccc-error.ts';
import type { CycleLessons, LessonRecord, LessonStore, LessonVersion, NewLesson } from '../lesson-store.ts';
import {
  changedLesson,
  lessonFromRow,
  restatedLesson,
  saidAlready,
  withEvidence,
  type LessonRow,
} from '../rows/lesson-rows.ts';
import { insertCycleEvents } from './cycle-rows.ts';
import { findLesson, insertLesson, lessonByHash, updateLesson } from './lesson-rows.ts';
import type { PostgresModule } from './postgres-module.ts';
import type { Queries } from './queries.ts';
import { lockIfThere, lockSession } from './session-lock.ts';

/** Nothing of a session that is still being imported is shown. */
const SHOWN = `EXISTS (SELECT 1 FROM sessions WHERE session_id = $1 AND status <> 'importing')`;

export const lessonsModule: PostgresModule<LessonStore> = {
  writes: ['add', 'change', 'remove', 'learn'],
  create: (db) => ({
    async list(sessionId, agent, limit) {
      const rows = await db.all<LessonRow>(
        `SELECT * FROM lessons WHERE session_id = $1 AND agent = $2 AND status <> 'deleted' AND ${SHOWN}
          ORDER BY lesson_no DESC LIMIT $3`,
        sessionId,
        agent,
        limit,
      );
      return rows.map(lessonFromRow);
    },
    async active(sessionId, limit) {
      const rows = await db.all<LessonRow>(
        `SELECT * FROM lessons WHERE session_id = $1 AND status = 'active' AND ${SHOWN}
          ORDER BY pinned DESC, lesson_no DESC LIMIT $2`,
        sessionId,
        limit,
      );
      return rows.map(lessonFromRow);
    },
    async mostTried(limit) {
      const rows = await db.all<LessonRow>(
        `SELECT * FROM lessons l WHERE with_trials + without_trials > 0 AND status <> 'deleted'
            AND NOT EXISTS (SELECT 1 FROM sessions s WHERE s.session_id = l.session_id AND s.status = 'importing')
          ORDER BY with_trials + without_trials DESC LIMIT $1`,
        limit,
      );
      return rows.map(lessonFromRow);
    },
    async get(sessionId, lessonId) {
      const row = await findLesson(db, sessionId, lessonId);
      return row ? lessonFromRow(row) : null;
    },
    async versions(sessionId, lessonId) {
      const row = await findLesson(db, sessionId, lessonId);
      if (!row) return [];
      return db.all<LessonVersion>(
        `SELECT version, trigger_text AS "trigger", text, status, pinned = 1 AS pinned, author, until FROM lesson_versions
          WHERE session_id = $1 AND lesson_no = $2 ORDER BY version DESC`,
        sessionId,
        row.lesson_no,
      );
    },
    add: (sessionId, lesson, now) => addLesson(db, sessionId, lesson, now),
    change: (input) => changeLesson(db, input),
    remove: (sessionId, lessonId, now) => removeLesson(db, sessionId, lessonId, now),
    learn: (input) => learn(db, input),
  }),
};

async function addLesson(
  db: Queries,
  sessionId: string,
  lesson: NewLesson,
  now: number,
): Promise<LessonRecord> {
  await lockSession(db, sessionId);
  const known = await lessonByHash(db, sessionId, lesson.agent, lesson.hash);
  if (known && known.status !== 'deleted') {
    return lessonFromRow(await updateLesson(db, known, restatedLesson(known, lesson), now));
  }
  // Nothing of a deleted one comes back: this is another lesson that says the same.
  if (known) {
    await db.run('DELETE FROM lessons WHERE session_id = $1 AND lesson_no = $2', sessionId, known.lesson_no);
  }
  return lessonFromRow(await insertLesson(db, sessionId, lesson, now));
}

async function changeLesson(
  db: Queries,
  { sessionId, lessonId, expectedVersion, changes, now }: Parameters<LessonStore['change']>[0],
): Promise<LessonRecord | null> {
  await lockSession(db, sessionId);
  const row = await findLesson(db, sessionId, lessonId);
  if (!row) return null;
  if (expectedVersion !== undefined && expectedVersion !== row.version) {
    throw new CccError('version_conflict', undefined, { param: 'expected_version' });
  }
  const same = changes.words && (await lessonByHash(db, sessionId, row.agent, changes.words.hash));
  if (same && same.lesson_no !== row.lesson_no) throw saidAlready();
  return lessonFromRow(await updateLesson(db, row, changedLesson(row, changes), now));
}

async function removeLesson(db: Queries, sessionId: string, lessonId: string, now: number): Promise<boolean> {
  if (!(await lockIfThere(db, sessionId))) return false;
  const row = await findLesson(db, sessionId, lessonId);
  if (!row) return false;
  await db.run(
    'DELETE FROM lesson_versions WHERE session_id = $1 AND lesson_no = $2',
    sessionId,
    row.lesson_no,
  );
  await db.run(
    `UPDATE lessons SET trigger_text = '', text = '', evidence = '[]', status = 'deleted', pinned = 0,
       with_trials = 0, with_approved = 0, without_trials = 0, without_approved = 0,
       version = version + 1, updated_at = $3 WHERE session_id = $1 AND lesson_no = $2`,
    sessionId,
    row.lesson_no,
    now,
  );
  return true;
}

async function learn(db: Queries, input: CycleLessons): Promise<boolean> {
  const { sessionId, cycleId, lessons, confirmed, disputed, trial, now } = input;
  await lockSession(db, sessionId);
  const cycle = await db.get(
    'SELECT 1 FROM cycles WHERE session_id = $1 AND cycle_id = $2',
    sessionId,
    cycleId,
  );
  if (!cycle) throw new CccError('cycle_not_found');
  const first = await db.run(
    'INSERT INTO lesson_cycles (session_id, cycle_id, learned_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING',
    sessionId,
    cycleId,
    now,
  );
  if (first === 0) return false;
  const told = { lesson_ids: [] as string[], confirmed_ids: [] as string[] };
  const confirm = async (row: LessonRow, evidence: NewLesson['evidence']) => {
    await db.run(
      'UPDATE lessons SET evidence = $3, updated_at = $4 WHERE session_id = $1 AND lesson_no = $2',
      sessionId,
      row.lesson_no,
      withEvidence(row, evidence),
      now,
    );
    told.confirmed_ids.push(row.lesson_id);
  };
  for (const lesson of lessons) {
    const known = await lessonByHash(db, sessionId, lesson.agent, lesson.hash);
    if (!known) {
      await insertLesson(db, sessionId, lesson, now);
      told.lesson_ids.push(lesson.lessonId);
    } else if (known.status === 'active' || known.status === 'candidate') {
      await confirm(known, lesson.evidence);
    }
  }
  for (const { lessonId, issueIds } of confirmed) {
    const row = await findLesson(db, sessionId, lessonId);
    if (row && row.status !== 'retired') await confirm(row, [{ cycleId, issueIds }]);
  }
  for (const lessonId of disputed) {
    const row = await findLesson(db, sessionId, lessonId);
    if (row?.status === 'active') await updateLesson(db, row, { ...row, status: 'candidate' }, now);
  }
  if (trial) await countTrial(db, sessionId, trial);
  // The cycle's log names them; their words may be forgotten.
  if (told.lesson_ids.length + told.confirmed_ids.length > 0) {
    const events = [{ type: 'lessons_learned', data: told }];
    await insertCycleEvents(db, { sessionId, cycleId, events, now });
  }
  return true;
}

async function countTrial(
  db: Queries,
  sessionId: string,
  { given, withheld, approved }: NonNullable<CycleLessons['trial']>,
): Promise<void> {
  const count = (arm: 'with' | 'without', ids: string[]) =>
    db.run(
      `UPDATE lessons SET ${arm}_trials = ${arm}_trials + 1, ${arm}_approved = ${arm}_approved + $3
        WHERE session_id = $1 AND lesson_id = ANY($2::text[]) AND status <> 'deleted'`,
      sessionId,
      ids,
      Number(approved),
    );
  await count('with', given);
  await count('without', withheld);
}
