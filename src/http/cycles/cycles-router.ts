import { Router, type Request, type Response } from 'express';
import { z } from 'zod';
import { CccError } from '../../base/ccc-error.ts';
import type { Settings } from '../../config/schema.ts';
import type { CycleService } from '../../covenant/cycle-service.ts';
import type { MemoryService } from '../../memory/memory-service.ts';
import type { ChatMessage } from '../../models/chat-types.ts';
import type { ChatProvider } from '../../models/provider.ts';
import type { MemoryDAL } from '../../store/memory-dal.ts';
import { readJsonBody } from '../body.ts';
import { methodNotAllowed } from '../errors.ts';
import { SseWriter } from '../sse.ts';
import { validate } from '../validate.ts';
import { cycleHead, cycleView, eventView } from './cycle-view.ts';

export interface CyclesParts {
  cycles: CycleService;
  memory: MemoryService;
  dal: Pick<MemoryDAL, 'cycles'>;
  provider: Pick<ChatProvider, 'info'>;
  settings: Pick<
    Settings,
    'CCC_MAX_BODY' | 'CCC_MAX_ROUNDS' | 'CCC_MAX_CONTEXT_TURNS' | 'CCC_MAX_CONTEXT_TOKENS'
  >;
  heartbeatMs?: number;
}

const startBody = z.strictObject({
  directive: z.string().trim().min(1),
  conversation_id: z.string().optional(),
  model: z.string().min(1).optional(),
  max_rounds: z.number().int().min(1).max(10).optional(),
  max_total_tokens: z.number().int().min(1).optional(),
  criteria: z.array(z.string().trim().min(1)).max(50).optional(),
  temperature: z.number().min(0).max(2).optional(),
  top_p: z.number().min(0).max(1).optional(),
  max_tokens: z.number().int().min(1).optional(),
  memory_options: z
    .strictObject({
      use_context: z.boolean().optional(),
      max_context_turns: z.number().int().min(0).max(200).optional(),
      max_context_tokens: z.number().int().min(0).max(200_000).optional(),
      include_agent_state: z.boolean().optional(),
      include_causal: z.boolean().optional(),
      auto_store_response: z.boolean().optional(),
    })
    .optional(),
});
type StartBody = z.output<typeof startBody>;

const listQuery = z.object({
  limit: z.coerce.number().int().min(1).max(100).default(20),
  cursor: z.string().nullable().default(null),
  conversation_id: z.string().optional(),
});
const decisionBody = z.strictObject({
  decision: z.enum(['approve', 'reject', 'steer']),
  text: z.string().trim().optional(),
  draft_hash: z.string().min(1),
});
const eventId = z.coerce.number().int().min(0);

/** Turns of the open conversation that Codey gets as messages, when a conversation is continued here. */
const CONTINUED_TURNS = 40;

/** Covenant cycles as resources: start, watch, cancel, resume, decide. */
export function cyclesRouter(parts: CyclesParts): Router {
  const router = Router({ caseSensitive: true, strict: true });
  const { cycles } = parts;

  router
    .route('/api/v2/sessions/:id/cycles')
    .post(async (req, res) => {
      const { json } = await readJsonBody(req, parts.settings.CCC_MAX_BODY);
      const cycleId = await startCycle(parts, req.params.id, validate(startBody, json));
      const { cycle } = await cycles.get(cycleId);
      res.status(202).location(`/api/v2/cycles/${cycleId}`).json(cycleHead(cycle));
    })
    .get(async (req, res) => {
      const { limit, cursor, conversation_id: conversationId } = validate(listQuery, req.query);
      await parts.memory.getSession(req.params.id);
      const page = await parts.dal.cycles.list({
        sessionId: req.params.id,
        limit,
        cursor,
        ...(conversationId === undefined ? {} : { conversationId }),
      });
      res.json({ data: page.items.map(cycleHead), next_cursor: page.nextCursor });
    })
    .all(methodNotAllowed('GET', 'POST'));

  router
    .route('/api/v2/cycles/:id')
    .get(async (req, res) => {
      const { cycle, steps } = await cycles.get(req.params.id);
      res.json(cycleView(cycle, steps));
    })
    .all(methodNotAllowed('GET'));

  router
    .route('/api/v2/cycles/:id/events')
    .get((req, res) => sendEvents(parts, req, res))
    .all(methodNotAllowed('GET'));

  router
    .route('/api/v2/cycles/:id/cancel')
    .post(async (req, res) => {
      res.json(cycleHead(await cycles.cancel(req.params.id)));
    })
    .all(methodNotAllowed('POST'));

  router
    .route('/api/v2/cycles/:id/resume')
    .post(async (req, res) => {
      await cycles.resume(req.params.id);
      res.status(202).json(cycleHead((await cycles.get(req.params.id)).cycle));
    })
    .all(methodNotAllowed('POST'));

  router
    .route('/api/v2/cycles/:id/decision')
    .post(async (req, res) => {
      const { json } = await readJsonBody(req, parts.settings.CCC_MAX_BODY);
      const { decision, text = '', draft_hash: draftHash } = validate(decisionBody, json);
      if (decision === 'steer' && text === '') {
        throw new CccError('invalid_request', 'text: say in a sentence what to do instead.', {
          param: 'text',
        });
      }
      await cycles.decide(req.params.id, { decision, text, draftHash });
      res.status(202).json(cycleHead((await cycles.get(req.params.id)).cycle));
    })
    .all(methodNotAllowed('POST'));
  return router;
}

async function startCycle(parts: CyclesParts, sessionId: string, body: StartBody): Promise<string> {
  const { memory, settings } = parts;
  const session = await memory.getSession(sessionId);
  if (session.status === 'archived') throw new CccError('session_archived');
  const conversationId = body.conversation_id ?? null;
  if (conversationId !== null && (await memory.getConversation(conversationId)).sessionId !== sessionId) {
    throw new CccError('conversation_not_found', undefined, { param: 'conversation_id' });
  }
  const messages = await conversationMessages(parts, conversationId, body.directive);
  const options = body.memory_options ?? {};
  const context =
    options.use_context === false
      ? null
      : await memory.buildContext({
          sessionId,
          conversationId,
          directive: body.directive,
          maxTurns: options.max_context_turns ?? settings.CCC_MAX_CONTEXT_TURNS,
          maxTokens: options.max_context_tokens ?? settings.CCC_MAX_CONTEXT_TOKENS,
          includeAgentState: options.include_agent_state ?? true,
          includeCausal: options.include_causal ?? true,
          alreadySent: messages.map(({ content }) => String(content)),
        });
  const conversation =
    conversationId ??
    (await memory.createConversation({ sessionId, directive: body.directive, storeDirective: false }))
      .conversation.conversationId;
  const { temperature, top_p, max_tokens } = body;
  const running = await parts.cycles.start({
    sessionId,
    conversationId: conversation,
    directive: body.directive,
    request: {
      model: body.model ?? parts.provider.info.defaultModel,
      messages,
      ...(temperature === undefined ? {} : { temperature }),
      ...(top_p === undefined ? {} : { top_p }),
      ...(max_tokens === undefined ? {} : { max_tokens }),
    },
    options: {
      maxRounds: body.max_rounds ?? settings.CCC_MAX_ROUNDS,
      maxTotalTokens: body.max_total_tokens ?? null,
      criteria: body.criteria ?? [],
    },
    context,
    storeTurns: options.auto_store_response ?? true,
  });
  return running.cycleId;
}

/** The conversation so far as a chat client would have sent it: what the person asked and what was answered. */
async function conversationMessages(
  parts: CyclesParts,
  conversationId: string | null,
  directive: string,
): Promise<ChatMessage[]> {
  const asked: ChatMessage = { role: 'user', content: directive };
  if (conversationId === null) return [asked];
  const { turnCount } = await parts.memory.getConversation(conversationId);
  const turns = await parts.memory.listTurns({
    conversationId,
    fromNumber: Math.max(1, turnCount - CONTINUED_TURNS + 1),
    limit: CONTINUED_TURNS,
  });
  const said = turns.flatMap((turn): ChatMessage[] => {
    if (turn.agent === 'wykeve') return [{ role: 'user', content: turn.content }];
    const answered = turn.agent === 'codey' && (turn.kind === 'answer' || turn.kind === 'message');
    return answered ? [{ role: 'assistant', content: turn.content }] : [];
  });
  return [...said, asked];
}

async function sendEvents(parts: CyclesParts, req: Request<{ id: string }>, res: Response): Promise<void> {
  const { id: cycleId } = req.params;
  const lastId = req.headers['last-event-id'];
  const after = validate(
    eventId,
    lastId ?? req.query['after'] ?? 0,
    lastId === undefined ? 'after' : 'last-event-id',
  );
  // Before the headers: an unknown cycle is a 404, not an empty stream.
  await parts.cycles.get(cycleId);
  const sse = new SseWriter(res, parts.heartbeatMs);
  try {
    for await (const signal of parts.cycles.follow(cycleId, after, sse.signal)) {
      if (signal.kind === 'event') {
        const { event } = signal;
        await sse.send({ id: String(event.seq), event: event.type, data: eventView(event) });
      } else {
        const { agent, round, step, text } = signal;
        await sse.send({ event: 'delta', data: { agent, round, step, text } });
      }
    }
  } finally {
    sse.close();
  }
}
