import { Router, type Request, type Response } from 'express';
import { z } from 'zod';
import { CccError } from '../../base/ccc-error.ts';
import { readJsonBody } from '../body.ts';
import { methodNotAllowed } from '../errors.ts';
import { callerName } from '../request-context.ts';
import { SseWriter } from '../sse.ts';
import { checkToken } from '../session-guard.ts';
import { validate } from '../validate.ts';
import { budgetOf } from './budget-view.ts';
import { cycleHead, cycleView, eventView } from './cycle-view.ts';
import type { CyclesParts } from './parts.ts';
import { startCycle } from './start-cycle.ts';

const listQuery = z.object({
  limit: z.coerce.number().int().min(1).max(100).default(20),
  cursor: z.string().nullable().default(null),
  conversation_id: z.string().optional(),
});
/** What the person decides. */
export const decisionBody = z.strictObject({
  decision: z.enum(['approve', 'reject', 'steer']),
  text: z.string().trim().optional(),
  draft_hash: z.string().min(1),
});
const eventId = z.coerce.number().int().min(0);

/** Covenant cycles as resources: start, watch, cancel, resume, decide. */
export function cyclesRouter(parts: CyclesParts): Router {
  const router = Router({ caseSensitive: true, strict: true });
  const { cycles, memory } = parts;

  /** The cycle, unless the caller's token opens another session than its own. */
  const opened = async (req: Request<{ id: string }>, res: Response) => {
    const found = await cycles.get(req.params.id);
    await checkToken(memory, req, found.cycle.sessionId, 'cycle_not_found');
    await parts.sessionRate?.count(res, found.cycle.sessionId);
    return found;
  };

  router
    .route('/api/v2/sessions/:id/cycles')
    .post(async (req, res) => {
      await checkToken(memory, req, req.params.id);
      const { json } = await readJsonBody(req, parts.settings.CCC_MAX_BODY);
      const cycleId = await startCycle(parts, req.params.id, json, callerName(req, res));
      const { cycle } = await cycles.get(cycleId);
      res.status(202).location(`/api/v2/cycles/${cycleId}`).json(cycleHead(cycle));
    })
    .get(async (req, res) => {
      await checkToken(memory, req, req.params.id);
      const { limit, cursor, conversation_id: conversationId } = validate(listQuery, req.query);
      await memory.getSession(req.params.id);
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
    .route('/api/v2/sessions/:id/budget')
    .get(async (req, res) => {
      await checkToken(memory, req, req.params.id);
      res.json(await budgetOf(parts, await memory.getSession(req.params.id)));
    })
    .all(methodNotAllowed('GET'));

  router
    .route('/api/v2/cycles/:id')
    .get(async (req, res) => {
      const { cycle, steps } = await opened(req, res);
      res.json(cycleView(cycle, steps));
    })
    .all(methodNotAllowed('GET'));

  router
    .route('/api/v2/cycles/:id/events')
    .get(async (req, res) => {
      const after = lastEventId(req);
      // Before the headers: an unknown cycle is a 404, not an empty stream.
      await opened(req, res);
      await sendEvents(parts, req.params.id, after, res);
    })
    .all(methodNotAllowed('GET'));

  router
    .route('/api/v2/cycles/:id/cancel')
    .post(async (req, res) => {
      await opened(req, res);
      res.json(cycleHead(await cycles.cancel(req.params.id)));
    })
    .all(methodNotAllowed('POST'));

  router
    .route('/api/v2/cycles/:id/resume')
    .post(async (req, res) => {
      await opened(req, res);
      await cycles.resume(req.params.id, callerName(req, res));
      res.status(202).json(cycleHead((await cycles.get(req.params.id)).cycle));
    })
    .all(methodNotAllowed('POST'));

  router
    .route('/api/v2/cycles/:id/decision')
    .post(async (req, res) => {
      await opened(req, res);
      const { json } = await readJsonBody(req, parts.settings.CCC_MAX_BODY);
      const { decision, text = '', draft_hash: draftHash } = validate(decisionBody, json);
      if (decision === 'steer' && text === '') {
        throw new CccError('invalid_request', 'text: say in a sentence what to do instead.', {
          param: 'text',
        });
      }
      await cycles.decide(req.params.id, { decision, text, draftHash, payer: callerName(req, res) });
      res.status(202).json(cycleHead((await cycles.get(req.params.id)).cycle));
    })
    .all(methodNotAllowed('POST'));
  return router;
}

/** The last event that a watcher has. @throws invalid_request */
function lastEventId(req: Request): number {
  const sent = req.headers['last-event-id'];
  return validate(eventId, sent ?? req.query['after'] ?? 0, sent === undefined ? 'after' : 'last-event-id');
}

async function sendEvents(parts: CyclesParts, cycleId: string, after: number, res: Response): Promise<void> {
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
