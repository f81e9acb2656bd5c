import { Router } from 'express';
import { readJsonBody } from '../body.ts';
import { methodNotAllowed } from '../errors.ts';
import { validate } from '../validate.ts';
import type { MemoryParts } from './parts.ts';
import * as schemas from './schemas.ts';
import { checkToken, sessionOfToken } from '../session-guard.ts';
import { sessionDetails, sessionView } from './views.ts';

/** Sessions: make, list, look at, set preferences, archive, erase. */
export function sessionsRouter({ memory, cycles, settings }: MemoryParts): Router {
  const router = Router({ caseSensitive: true, strict: true });

  router
    .route('/api/v2/sessions')
    .post(async (req, res) => {
      const { json } = await readJsonBody(req, settings.CCC_MAX_BODY);
      const body = validate(schemas.createSession, json);
      const { session, token } = await memory.createSession({
        userPreferences: body.user_preferences ?? {},
        initialContext: body.initial_context ?? null,
      });
      res.status(201).json({ ...sessionView(session), token });
    })
    .get(async (req, res) => {
      const { name, ...query } = validate(schemas.sessionPage, req.query);
      const own = await sessionOfToken(memory, req);
      // A token opens its session and nothing else: of the others not even the ids are seen.
      const page = own
        ? { items: [own], nextCursor: null }
        : await memory.listSessions(name === '' ? query : { ...query, name });
      res.json({ data: page.items.map(sessionDetails), next_cursor: page.nextCursor });
    })
    .all(methodNotAllowed('GET', 'POST'));

  router
    .route('/api/v2/sessions/:id')
    .get(async (req, res) => {
      await checkToken(memory, req, req.params.id);
      res.json(sessionDetails(await memory.getSession(req.params.id)));
    })
    .delete(async (req, res) => {
      await checkToken(memory, req, req.params.id);
      await memory.eraseSession(req.params.id);
      await cycles.stopSession(req.params.id);
      res.status(204).end();
    })
    .all(methodNotAllowed('GET', 'DELETE'));

  router
    .route('/api/v2/sessions/:id/preferences')
    .put(async (req, res) => {
      await checkToken(memory, req, req.params.id);
      const { json } = await readJsonBody(req, settings.CCC_MAX_BODY);
      const { user_preferences: preferences } = validate(schemas.putPreferences, json);
      res.json(sessionDetails(await memory.setPreferences(req.params.id, preferences)));
    })
    .all(methodNotAllowed('PUT'));

  router
    .route('/api/v2/sessions/:id/archive')
    .post(async (req, res) => {
      await checkToken(memory, req, req.params.id);
      res.json(sessionDetails(await memory.archiveSession(req.params.id)));
    })
    .all(methodNotAllowed('POST'));
  return router;
}
