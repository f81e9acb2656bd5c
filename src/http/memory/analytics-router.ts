import { Router } from 'express';
import { CccError } from '../../base/ccc-error.ts';
import type { Analytics } from '../../causal/analytics/analytics.ts';
import { methodNotAllowed } from '../errors.ts';
import { checkToken, sessionOfToken } from '../session-guard.ts';
import { countsView, figuresView } from './analytics-view.ts';
import { lessonEffectView } from './lesson-view.ts';
import type { MemoryParts } from './parts.ts';

/** Lessons of all sessions that are told: those that were tried most often. */
const MOST_LESSONS = 50;

/** What a session, or all of them, came to: counted in the record, and figured out on its projection. */
export function analyticsRouter({ memory, dal, causal }: MemoryParts): Router {
  const router = Router({ caseSensitive: true, strict: true });

  router
    .route('/api/v2/sessions/:id/analytics')
    .get(async (req, res) => {
      const { id } = req.params;
      await checkToken(memory, req, id);
      const counts = await memory.statistics(id);
      const figures = await whileItAnswers(() => causal.analytics(id));
      const lessons = await Promise.all([
        memory.listLessons(id, 'codey'),
        memory.listLessons(id, 'beatrice'),
      ]);
      res.json({
        session_id: id,
        ...countsView(counts),
        ...figuresView(figures),
        lessons: lessons.flat().map(lessonEffectView),
      });
    })
    .all(methodNotAllowed('GET'));

  router
    .route('/api/v2/analytics')
    .get(async (req, res) => {
      if (await sessionOfToken(memory, req)) {
        throw new CccError('invalid_token', "A session's token opens its own session only.");
      }
      const [counts, cycles, lessons] = await Promise.all([
        dal.maintenance.counts(),
        dal.cycles.counts(),
        dal.lessons.mostTried(MOST_LESSONS),
      ]);
      const figures = await whileItAnswers(() => causal.analytics(null));
      res.json({
        ...counts,
        cycles: Object.fromEntries(cycles.map(({ name, count }) => [name, count])),
        ...figuresView(figures),
        lessons: lessons
          .map((lesson) => ({ session_id: lesson.sessionId, ...lessonEffectView(lesson) }))
          .toSorted((a, b) => b.effect.helps - a.effect.helps),
      });
    })
    .all(methodNotAllowed('GET'));
  return router;
}

/** The counts are worth having without the figures. What is not there at all is still told as such. */
async function whileItAnswers(ask: () => Promise<Analytics>): Promise<Analytics | null> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof CccError && error.code !== 'storage_failed') throw error;
    return null;
  }
}
