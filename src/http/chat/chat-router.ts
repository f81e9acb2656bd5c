import { Router, type Request, type RequestHandler, type Response } from 'express';
import { CccError } from '../../base/ccc-error.ts';
import { readJsonBody } from '../body.ts';
import { methodNotAllowed } from '../errors.ts';
import { requestLogger } from '../request-context.ts';
import { passThrough } from '../v1/pass-through.ts';
import { checkModelName } from '../v1/v1-routes.ts';
import type { Logger } from '../../base/logger.ts';
import { answerCycle, continueCycle } from './cycle.ts';
import { answerDirect } from './direct.ts';
import { readFields, type ChatFields } from './fields.ts';
import { refuseMisspelt } from './misspelt.ts';
import { chooseMode } from './mode.ts';
import { namesOf, sessionToken } from './naming.ts';
import type { ChatParts } from './parts.ts';
import { stageOne } from './stage-one.ts';
import { isFault } from './faults.ts';
import { openCall, prepare } from './prepare.ts';
import { queryOf } from './transport.ts';
import { upstreamBody } from './upstream-body.ts';
import { findWaitingCycle } from './waiting-cycle.ts';

/**
 * `/v2`: chat with memory, under supervision, for clients of OpenAI's API. Also below `/v2/sessions/:id`, for clients
 * that can only be given a base URL; models and embeddings are the upstream's, as under `/v1`.
 */
export function chatRouter(parts: ChatParts): Router {
  const router = Router({ caseSensitive: true, strict: true });
  /** Directives being answered in this process, as session and thread key. */
  const beingAnswered = new Set<string>();

  for (const root of ['/v2', '/v2/sessions/:sessionId']) {
    router
      .route(`${root}/chat/completions`)
      .post((req, res) => answerChat(parts, beingAnswered, req, res))
      .all(methodNotAllowed('POST'));
    addUpstreamRoutes(router, root, parts);
  }
  return router;
}

/** What else a client of OpenAI's API asks of its base URL: the upstream's, as under `/v1`. */
function addUpstreamRoutes(router: Router, root: string, parts: ChatParts): void {
  const pass = passThrough(parts.provider, { maxBody: parts.settings.CCC_MAX_BODY, root });
  router.route(`${root}/models`).get(pass).all(methodNotAllowed('GET'));
  router.route(`${root}/models/*model`).get(checkModel, pass).all(methodNotAllowed('GET'));
  router.route(`${root}/embeddings`).post(pass).all(methodNotAllowed('POST'));
}

const checkModel: RequestHandler = (req, _res, next) => {
  const { model = [] } = req.params as { model?: string[] };
  checkModelName(model.join('/'));
  next();
};

/** The body as bytes and as an object. @throws invalid_json, invalid_request */
async function readChatBody(
  req: Request,
  limit: number,
): Promise<{ json: Buffer; body: Record<string, unknown> }> {
  const { raw, json: body } = await readJsonBody(req, limit);
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new CccError('invalid_request', 'The body must be a JSON object.');
  }
  // A byte order mark is no part of JSON, though it may have been read over.
  const json = raw.subarray(0, 3).equals(BYTE_ORDER_MARK) ? raw.subarray(3) : raw;
  return { json, body: body as Record<string, unknown> };
}

const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

async function answerChat(
  parts: ChatParts,
  beingAnswered: Set<string>,
  req: Request,
  res: Response,
): Promise<void> {
  const { json, body } = await readChatBody(req, parts.settings.CCC_MAX_BODY);
  refuseMisspelt(req.headers, body);
  const fields = readFields(body);
  const logger = requestLogger(res) ?? parts.logger;
  const names = await nameSession(parts, req, fields, logger);
  if (names === null) {
    refuseFieldsWithoutSession(fields);
    await stageOne(parts, req, res, `/chat/completions${queryOf(req)}`, upstreamBody(json, null, null));
    return;
  }
  if (names.sessionId !== null) await parts.sessionRate?.count(res, names.sessionId);
  const call = await openCall(parts, { json, body, fields, logger, ...names });
  const waiting = await findWaitingCycle(parts, call);
  if (waiting) {
    await continueCycle(parts, res, call, waiting);
    return;
  }
  const chosen = chooseMode(parts, call);
  const inFlight = (threadKey: string) => `${call.sessionId} ${threadKey}`;
  const preparation = await prepare(parts, call, {
    needsConversation: chosen.mode === 'cycle',
    beingAnswered: (threadKey) => beingAnswered.has(inFlight(threadKey)),
  });
  const key = preparation.thread && inFlight(preparation.thread.threadKey);
  if (key !== null) beingAnswered.add(key);
  try {
    const reason =
      chosen.mode === 'direct' ? chosen.reason : await answerCycle(parts, res, call, preparation);
    if (chosen.mode === 'cycle' && reason === null) return;
    await answerDirect(parts, req, res, call, preparation, reason);
  } finally {
    if (key !== null) beingAnswered.delete(key);
  }
}

interface Names {
  /** Null when something that names it was sent, and the record cannot say which session it is. */
  sessionId: string | null;
  conversationId: string | null;
}

/** What a request names, or null when it names nothing. @throws see `namesOf`; invalid_token, conversation_not_found */
async function nameSession(
  parts: ChatParts,
  req: Request,
  fields: ChatFields,
  logger: Logger,
): Promise<Names | null> {
  const token = sessionToken(req.headers);
  const byToken = token === null ? null : await unlessFaulty(logger, () => parts.memory.openByToken(token));
  if (token !== null && byToken === null) throw new CccError('invalid_token');
  const { sessionId, conversationId } = namesOf({
    urlSessionId: (req.params as { sessionId?: string }).sessionId ?? null,
    tokenSessionId: byToken?.sessionId ?? null,
    headers: req.headers,
    fields,
  });
  if (sessionId !== null) return { sessionId, conversationId };
  if (conversationId === null) return token === null ? null : { sessionId, conversationId };
  // A conversation belongs to one session: to name it is to name both.
  const conversation = await unlessFaulty(logger, () => parts.memory.getConversation(conversationId));
  return { sessionId: conversation?.sessionId ?? null, conversationId };
}

/** Undefined when the record is at fault; what the client did wrong is thrown on. */
async function unlessFaulty<T>(logger: Logger, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!isFault(error)) throw error;
    logger.error({ err: error }, 'the session could not be looked up');
    return undefined;
  }
}

/** Without a session there is nothing to remember or to supervise: who asks for it must hear that. */
function refuseFieldsWithoutSession(fields: ChatFields): void {
  const param = fields.memory_options
    ? 'memory_options'
    : fields.covenant && fields.covenant.mode !== 'direct'
      ? 'covenant'
      : null;
  if (param === null) return;
  throw new CccError(
    'invalid_request',
    `${param} needs a session: name one by session_id, x-ccc-session-id, the base URL or the session's token.`,
    { param },
  );
}
