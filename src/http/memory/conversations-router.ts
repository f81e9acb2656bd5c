import { createHash } from 'node:crypto';
import { Router, type Request, type Response } from 'express';
import { CccError } from '../../base/ccc-error.ts';
import type { TurnInput } from '../../memory/memory-service.ts';
import type { ConversationRecord } from '../../store/records.ts';
import type { Idempotency } from '../../store/memory-dal.ts';
import { readJsonBody } from '../body.ts';
import { methodNotAllowed } from '../errors.ts';
import { validate } from '../validate.ts';
import type { MemoryParts } from './parts.ts';
import * as schemas from './schemas.ts';
import { checkToken } from '../session-guard.ts';
import { conversationView, turnView } from './views.ts';

const LONGEST_IDEMPOTENCY_KEY = 255;

/** Conversations and their turns. */
export function conversationsRouter({ memory, settings, sessionRate }: MemoryParts): Router {
  const router = Router({ caseSensitive: true, strict: true });

  const open = async (req: Request<{ id: string }>, res: Response): Promise<ConversationRecord> => {
    const conversation = await memory.getConversation(req.params.id);
    await checkToken(memory, req, conversation.sessionId, 'conversation_not_found');
    await sessionRate?.count(res, conversation.sessionId);
    return conversation;
  };

  router
    .route('/api/v2/conversations')
    .post(async (req, res) => {
      const { json } = await readJsonBody(req, settings.CCC_MAX_BODY);
      const body = validate(schemas.createConversation, json);
      await checkToken(memory, req, body.session_id);
      await sessionRate?.count(res, body.session_id);
      const { conversation, turns } = await memory.createConversation({
        sessionId: body.session_id,
        directive: body.directive,
      });
      res.status(201).json({ ...conversationView(conversation), turns: turns.map(turnView) });
    })
    .all(methodNotAllowed('POST'));

  router
    .route('/api/v2/conversations/:id')
    .get(async (req, res) => {
      const conversation = await open(req, res);
      const { from, limit } = validate(schemas.turnPage, req.query);
      const turns = await memory.listTurns({ conversationId: req.params.id, fromNumber: from, limit });
      const last = turns.at(-1)?.turnNumber ?? 0;
      res.json({
        ...conversationView(conversation),
        turns: turns.map(turnView),
        next_from: last > 0 && last < conversation.turnCount ? last + 1 : null,
      });
    })
    .all(methodNotAllowed('GET'));

  router
    .route('/api/v2/sessions/:id/conversations')
    .get(async (req, res) => {
      await checkToken(memory, req, req.params.id);
      await memory.getSession(req.params.id);
      const page = await memory.listConversations({
        sessionId: req.params.id,
        ...validate(schemas.page, req.query),
      });
      res.json({ data: page.items.map(conversationView), next_cursor: page.nextCursor });
    })
    .all(methodNotAllowed('GET'));

  router
    .route('/api/v2/conversations/:id/turns')
    .post(async (req, res) => {
      await open(req, res);
      const { raw, json } = await readJsonBody(req, settings.CCC_MAX_BODY);
      const many = typeof json === 'object' && json !== null && 'turns' in json;
      const bodies = many ? validate(schemas.manyTurns, json).turns : [validate(schemas.oneTurn, json)];
      const idempotency = idempotencyOf(req, raw);
      const { turns, replayed } = await memory.appendTurns({
        conversationId: req.params.id,
        turns: bodies.map(turnInput),
        ...(idempotency ? { idempotency } : {}),
      });
      if (replayed) res.setHeader('idempotency-replayed', 'true');
      const views = turns.map(turnView);
      res.status(201).json(many ? { turns: views } : views[0]);
    })
    .all(methodNotAllowed('POST'));
  return router;
}

function turnInput(body: schemas.TurnBody): TurnInput {
  return {
    agent: body.agent,
    content: body.content,
    kind: body.kind ?? 'message',
    speaker: body.speaker ?? null,
    metadata: body.metadata ?? {},
    ...(body.timestamp === undefined ? {} : { timestamp: body.timestamp }),
  };
}

function idempotencyOf(req: Request, raw: Buffer): Idempotency | null {
  const key = req.headers['idempotency-key'];
  if (key === undefined) return null;
  if (typeof key !== 'string' || key === '' || key.length > LONGEST_IDEMPOTENCY_KEY) {
    throw new CccError('invalid_request', 'Idempotency-Key: must have 1 to 255 characters.', {
      param: 'idempotency-key',
    });
  }
  return { key, requestHash: createHash('sha256').update(raw).digest('hex') };
}
