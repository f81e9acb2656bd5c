import { Router } from 'express';
import { z } from 'zod';
import { isoTime } from '../../base/clock.ts';
import { LONGEST_LESSON } from '../../memory/lessons/lesson-words.ts';
import { readJsonBody } from '../body.ts';
import { methodNotAllowed } from '../errors.ts';
import { checkToken } from '../session-guard.ts';
import { validate } from '../validate.ts';
import type { MemoryParts } from './parts.ts';
import { lessonView } from './lesson-view.ts';

/** Those who learn. */
const learner = z.enum(['beatrice', 'codey']);

/** What a new lesson is. */
export const lesson = z.strictObject({
  text: z.string().trim().min(1).max(LONGEST_LESSON.text),
  trigger: z.string().trim().max(LONGEST_LESSON.trigger).optional(),
  pinned: z.boolean().optional(),
});

/** What may be changed of one. */
export const lessonChange = lesson
  .partial()
  .extend({
    status: z.enum(['active', 'retired']).optional(),
    expected_version: z.number().int().min(1).optional(),
  })
  .refine(({ expected_version: _, ...changes }) => Object.keys(changes).length > 0, {
    message: 'names nothing to change',
  });

/** What the agents have learned: to be looked at, added to, set right, pinned, retired and deleted by the person. */
export function lessonsRouter({ memory, settings }: Pick<MemoryParts, 'memory' | 'settings'>): Router {
  const router = Router({ caseSensitive: true, strict: true });
  router
    .route('/api/v2/sessions/:id/agents/:agent/lessons')
    .get(async (req, res) => {
      const { id } = req.params;
      await checkToken(memory, req, id);
      const agent = validate(learner, req.params.agent, 'agent');
      const lessons = await memory.listLessons(id, agent);
      res.json({ session_id: id, agent, lessons: lessons.map(lessonView) });
    })
    .post(async (req, res) => {
      const { id } = req.params;
      await checkToken(memory, req, id);
      const agent = validate(learner, req.params.agent, 'agent');
      const { json } = await readJsonBody(req, settings.CCC_MAX_BODY);
      const { text, ...rest } = validate(lesson, json);
      const stored = await memory.addLesson({ sessionId: id, agent, text, ...named(rest) });
      res.status(201).json(lessonView(stored));
    })
    .all(methodNotAllowed('GET', 'POST'));

  router
    .route('/api/v2/sessions/:id/agents/:agent/lessons/:lessonId')
    .patch(async (req, res) => {
      const { id, lessonId } = req.params;
      await checkToken(memory, req, id);
      const agent = validate(learner, req.params.agent, 'agent');
      const { json } = await readJsonBody(req, settings.CCC_MAX_BODY);
      const { expected_version: version, status, text, ...rest } = validate(lessonChange, json);
      const changed = await memory.changeLesson({
        sessionId: id,
        agent,
        lessonId,
        ...(version === undefined ? {} : { expectedVersion: version }),
        changes: {
          ...(text === undefined ? {} : { text }),
          ...(status === undefined ? {} : { status }),
          ...named(rest),
        },
      });
      res.json(lessonView(changed));
    })
    .delete(async (req, res) => {
      const { id, lessonId } = req.params;
      await checkToken(memory, req, id);
      await memory.deleteLesson(id, validate(learner, req.params.agent, 'agent'), lessonId);
      res.status(204).end();
    })
    .all(methodNotAllowed('PATCH', 'DELETE'));

  router
    .route('/api/v2/sessions/:id/agents/:agent/lessons/:lessonId/history')
    .get(async (req, res) => {
      const { id, lessonId } = req.params;
      await checkToken(memory, req, id);
      const agent = validate(learner, req.params.agent, 'agent');
      const { lesson: record, versions } = await memory.lessonHistory(id, agent, lessonId);
      res.json({
        ...lessonView(record),
        versions: versions.map(({ until, ...version }) => ({ ...version, changed_at: isoTime(until) })),
      });
    })
    .all(methodNotAllowed('GET'));
  return router;
}

function named({ trigger, pinned }: { trigger?: string | undefined; pinned?: boolean | undefined }) {
  return {
    ...(trigger === undefined ? {} : { trigger }),
    ...(pinned === undefined ? {} : { pinned }),
  };
}
