import { Router } from 'express';
import { readJsonBody } from '../body.ts';
import { methodNotAllowed } from '../errors.ts';
import { validate } from '../validate.ts';
import type { MemoryParts } from './parts.ts';
import * as schemas from './schemas.ts';
import { checkToken } from '../session-guard.ts';
import { agentStateView } from './views.ts';

/** What the agents keep in mind in a session. */
export function agentsRouter({ memory, settings }: MemoryParts): Router {
  const router = Router({ caseSensitive: true, strict: true });
  router
    .route('/api/v2/sessions/:id/agents/:agent/state')
    .get(async (req, res) => {
      const { id } = req.params;
      await checkToken(memory, req, id);
      const agent = validate(schemas.agent, req.params.agent, 'agent');
      res.json(agentStateView(await memory.getAgentState(id, agent)));
    })
    .put(async (req, res) => {
      const { id } = req.params;
      await checkToken(memory, req, id);
      const agent = validate(schemas.agent, req.params.agent, 'agent');
      const { json } = await readJsonBody(req, settings.CCC_MAX_BODY);
      const body = validate(schemas.putState, json);
      const state = await memory.putAgentState({
        sessionId: id,
        agent,
        state: body.state,
        ...(body.expected_version === undefined ? {} : { expectedVersion: body.expected_version }),
      });
      res.json(agentStateView(state));
    })
    .all(methodNotAllowed('GET', 'PUT'));
  return router;
}
