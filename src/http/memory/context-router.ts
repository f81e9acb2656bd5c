import { Router } from 'express';
import { readJsonBody } from '../body.ts';
import { methodNotAllowed } from '../errors.ts';
import { validate } from '../validate.ts';
import type { MemoryParts } from './parts.ts';
import * as schemas from './schemas.ts';
import { checkToken } from '../session-guard.ts';
import { contextTurnView, contextView, summaryView } from './views.ts';

/** What memory would add to a prompt, search, and the summaries. */
export function contextRouter({ memory, settings }: MemoryParts): Router {
  const router = Router({ caseSensitive: true, strict: true });

  router
    .route('/api/v2/sessions/:id/context')
    .get(async (req, res) => {
      const { id } = req.params;
      await checkToken(memory, req, id);
      const query = validate(schemas.contextQuery, req.query);
      const context = await memory.buildContext({
        sessionId: id,
        conversationId: query.conversation_id,
        directive: query.directive,
        maxTurns: query.max_turns ?? settings.CCC_MAX_CONTEXT_TURNS,
        maxTokens: query.max_tokens ?? settings.CCC_MAX_CONTEXT_TOKENS,
        includeAgentState: query.include_agent_state,
        includeCausal: query.include_causal,
        alreadySent: [],
      });
      res.json(contextView(id, context));
    })
    .all(methodNotAllowed('GET'));

  router
    .route('/api/v2/sessions/:id/context/search')
    .post(async (req, res) => {
      const { id } = req.params;
      await checkToken(memory, req, id);
      const { json } = await readJsonBody(req, settings.CCC_MAX_BODY);
      const body = validate(schemas.search, json);
      const { from, to } = body.time_range ?? {};
      const results = await memory.searchTurns({
        sessionId: id,
        query: body.query,
        maxResults: body.max_results,
        relevanceThreshold: body.relevance_threshold,
        timeRange: body.time_range
          ? { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }
          : null,
      });
      res.json({ session_id: id, results: results.map(contextTurnView) });
    })
    .all(methodNotAllowed('POST'));

  router
    .route('/api/v2/sessions/:id/context/summary')
    .get(async (req, res) => {
      const { id } = req.params;
      await checkToken(memory, req, id);
      const { conversation_id: conversationId } = validate(schemas.summaryScope, req.query);
      const { current, history } = await memory.getSummary(id, conversationId);
      res.json({
        session_id: id,
        current: current && summaryView(current),
        history: history.map(summaryView),
      });
    })
    .put(async (req, res) => {
      const { id } = req.params;
      await checkToken(memory, req, id);
      const { json } = await readJsonBody(req, settings.CCC_MAX_BODY);
      const body = validate(schemas.putSummary, json);
      const summary = await memory.putSummary({
        sessionId: id,
        conversationId: body.conversation_id,
        text: body.summary,
      });
      res.json({ session_id: id, ...summaryView(summary) });
    })
    .all(methodNotAllowed('GET', 'PUT'));
  return router;
}
