import { Router } from 'express';
import type { EventInput, LinkInput } from '../../causal/causal-memory-core.ts';
import { readJsonBody } from '../body.ts';
import { methodNotAllowed } from '../errors.ts';
import type { MemoryParts } from '../memory/parts.ts';
import { checkToken } from '../session-guard.ts';
import { validate } from '../validate.ts';
import { eventRouter, linkRouter } from './item-routers.ts';
import * as schemas from './schemas.ts';
import { chainView, eventView, graphView, linkView } from './views.ts';

export type CausalParts = Pick<MemoryParts, 'memory' | 'causal' | 'settings'>;

/** Causal memory: what happened and why, asked and told. */
export function causalRouter(parts: CausalParts): Router {
  const { memory, causal, settings } = parts;
  const router = Router({ caseSensitive: true, strict: true });

  router
    .route('/api/v2/sessions/:id/causal')
    .get(async (req, res) => {
      const { id } = req.params;
      await checkToken(memory, req, id);
      const { query, max_tokens: maxTokens } = validate(schemas.narrativeQuery, req.query);
      await memory.getSession(id);
      const narrative = await causal.narrative({ sessionId: id, query, maxTokens });
      res.json({
        session_id: id,
        query,
        narrative: narrative.text,
        token_count: narrative.tokenCount,
        chain: narrative.chains[0] ? chainView(narrative.chains[0]) : null,
        chains: narrative.chains.map(chainView),
        scores: narrative.scores,
        events: narrative.events.map(eventView),
        links: narrative.links.map(linkView),
      });
    })
    .all(methodNotAllowed('GET'));

  router
    .route('/api/v2/sessions/:id/causal/graph')
    .get(async (req, res) => {
      const { id } = req.params;
      await checkToken(memory, req, id);
      const { around, limit, cursor } = validate(schemas.graphQuery, req.query);
      const graph = await causal.graph({ sessionId: id, aroundEventId: around, limit, cursor });
      res.json({ session_id: id, ...graphView(graph), next_cursor: graph.nextCursor });
    })
    .all(methodNotAllowed('GET'));

  router
    .route('/api/v2/sessions/:id/causal/events')
    .post(async (req, res) => {
      const { id } = req.params;
      await checkToken(memory, req, id);
      const { json } = await readJsonBody(req, settings.CCC_MAX_BODY);
      const many = typeof json === 'object' && json !== null && 'events' in json;
      const bodies = many ? validate(schemas.manyEvents, json).events : [validate(schemas.oneEvent, json)];
      const events = (await causal.addEvents(id, bodies.map(eventInput))).map(eventView);
      res.status(201).json(many ? { events } : events[0]);
    })
    .get(async (req, res) => {
      const { id } = req.params;
      await checkToken(memory, req, id);
      const { query, limit } = validate(schemas.timelineQuery, req.query);
      const { nodes, links, truncated } = await causal.timeline({ sessionId: id, query, limit });
      res.json({
        session_id: id,
        events: nodes.map(eventView),
        links: links.map(linkView),
        truncated,
      });
    })
    .all(methodNotAllowed('GET', 'POST'));

  router
    .route('/api/v2/sessions/:id/causal/links')
    .post(async (req, res) => {
      const { id } = req.params;
      await checkToken(memory, req, id);
      const { json } = await readJsonBody(req, settings.CCC_MAX_BODY);
      const many = typeof json === 'object' && json !== null && 'links' in json;
      const bodies = many ? validate(schemas.manyLinks, json).links : [validate(schemas.oneLink, json)];
      const links = (await causal.addLinks(id, bodies.map(linkInput))).map(linkView);
      res.status(201).json(many ? { links } : links[0]);
    })
    .all(methodNotAllowed('POST'));

  router.use(eventRouter(parts));
  router.use(linkRouter(parts));
  return router;
}

function eventInput(body: schemas.EventBody): EventInput {
  return {
    text: body.text,
    actor: body.actor ?? null,
    conversationId: body.conversation_id ?? null,
    sourceTurnId: body.source_turn_id ?? null,
    ...(body.happened_at === undefined ? {} : { happenedAt: body.happened_at }),
  };
}

function linkInput(body: schemas.LinkBody): LinkInput {
  return {
    causeId: body.cause_id,
    effectId: body.effect_id,
    relation: body.relation,
    ...(body.confidence === undefined ? {} : { confidence: body.confidence }),
    ...(body.explanation === undefined ? {} : { explanation: body.explanation }),
  };
}
