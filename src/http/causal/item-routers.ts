import { Router } from 'express';
import type { MemoryParts } from '../memory/parts.ts';
import { readJsonBody } from '../body.ts';
import { methodNotAllowed } from '../errors.ts';
import { checkToken } from '../session-guard.ts';
import { validate } from '../validate.ts';
import * as schemas from './schemas.ts';
import { countersView, eventView, explanationView, linkView } from './views.ts';

type Parts = Pick<MemoryParts, 'memory' | 'causal' | 'settings'>;

/** One event: look at it, correct, confirm and remove it, and ask what is behind it and what came of it. */
export function eventRouter({ memory, causal, settings }: Parts): Router {
  const router = Router({ caseSensitive: true, strict: true });
  const path = '/api/v2/sessions/:id/causal/events/:eventId' as const;

  router
    .route(path)
    .get(async (req, res) => {
      const { id, eventId } = req.params;
      await checkToken(memory, req, id);
      res.json(eventView(await causal.getEvent(id, eventId)));
    })
    .patch(async (req, res) => {
      const { id, eventId } = req.params;
      await checkToken(memory, req, id);
      const { json } = await readJsonBody(req, settings.CCC_MAX_BODY);
      const { text, actor, happened_at: happenedAt } = validate(schemas.changeEvent, json);
      const event = await causal.changeEvent(id, eventId, {
        ...(text === undefined ? {} : { text }),
        ...(actor === undefined ? {} : { actor }),
        ...(happenedAt === undefined ? {} : { happenedAt }),
      });
      res.json(eventView(event));
    })
    .delete(async (req, res) => {
      const { id, eventId } = req.params;
      await checkToken(memory, req, id);
      await causal.removeEvent(id, eventId);
      res.status(204).end();
    })
    .all(methodNotAllowed('GET', 'PATCH', 'DELETE'));

  router
    .route(`${path}/confirm`)
    .post(async (req, res) => {
      const { id, eventId } = req.params;
      await checkToken(memory, req, id);
      res.json(eventView(await causal.changeEvent(id, eventId, {})));
    })
    .all(methodNotAllowed('POST'));

  for (const question of ['why', 'effects'] as const) {
    router
      .route(`${path}/${question}`)
      .get(async (req, res) => {
        const { id, eventId } = req.params;
        await checkToken(memory, req, id);
        res.json(explanationView(id, await causal[question](id, eventId)));
      })
      .all(methodNotAllowed('GET'));
  }

  router
    .route(`${path}/prevented_by`)
    .get(async (req, res) => {
      const { id, eventId } = req.params;
      await checkToken(memory, req, id);
      res.json(countersView(id, eventId, await causal.preventedBy(id, eventId)));
    })
    .all(methodNotAllowed('GET'));

  router
    .route(`${path}/superseded_by`)
    .get(async (req, res) => {
      const { id, eventId } = req.params;
      await checkToken(memory, req, id);
      res.json(countersView(id, eventId, await causal.supersededBy(id, eventId)));
    })
    .all(methodNotAllowed('GET'));
  return router;
}

/** One link: look at it, correct, confirm and remove it. */
export function linkRouter({ memory, causal, settings }: Parts): Router {
  const router = Router({ caseSensitive: true, strict: true });
  const path = '/api/v2/sessions/:id/causal/links/:linkId' as const;

  router
    .route(path)
    .get(async (req, res) => {
      const { id, linkId } = req.params;
      await checkToken(memory, req, id);
      res.json(linkView(await causal.getLink(id, linkId)));
    })
    .patch(async (req, res) => {
      const { id, linkId } = req.params;
      await checkToken(memory, req, id);
      const { json } = await readJsonBody(req, settings.CCC_MAX_BODY);
      const { relation, confidence, explanation } = validate(schemas.changeLink, json);
      const link = await causal.changeLink(id, linkId, {
        ...(relation === undefined ? {} : { relation }),
        ...(confidence === undefined ? {} : { confidence }),
        ...(explanation === undefined ? {} : { explanation }),
      });
      res.json(linkView(link));
    })
    .delete(async (req, res) => {
      const { id, linkId } = req.params;
      await checkToken(memory, req, id);
      await causal.removeLink(id, linkId);
      res.status(204).end();
    })
    .all(methodNotAllowed('GET', 'PATCH', 'DELETE'));

  router
    .route(`${path}/confirm`)
    .post(async (req, res) => {
      const { id, linkId } = req.params;
      await checkToken(memory, req, id);
      res.json(linkView(await causal.changeLink(id, linkId, {})));
    })
    .all(methodNotAllowed('POST'));
  return router;
}
