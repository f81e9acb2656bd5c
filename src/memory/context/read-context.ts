import type { MemoryDeps } from '../deps.ts';
import { chooseLessons } from '../lessons/choose-lessons.ts';
import { found } from '../sessions.ts';
import { comparable } from './candidates.ts';
import { gist } from './gist.ts';
import type { ContextMaterial, ContextRequest, SessionMaterial, ToldCauses } from './context-types.ts';

/** Newest turns of the open conversation that are shown when the client did not send them itself. */
export const RECENT_TURNS = 6;
/** Tokens of the causal narrative that is asked for. */
const CAUSAL_TOKENS = 400;

type SessionRequest = Omit<ContextRequest, 'conversationId'>;

export async function beginContext(deps: MemoryDeps, request: SessionRequest): Promise<SessionMaterial> {
  const { sessionId, maxTurns, maxTokens, includeAgentState } = request;
  const directive = gist(request.directive);
  const now = deps.clock.now();
  const alreadySent = request.alreadySent.map(comparable);
  const [gathered, told, lessons] = await Promise.all([
    deps.gather({ sessionId, directive, maxTurns, maxTokens, includeAgentState, alreadySent, now }),
    request.includeCausal ? causesOf(deps, { ...request, directive }) : NO_CAUSES,
    includeAgentState ? chooseLessons(deps, sessionId, directive) : [],
  ]);
  return { gathered, told, lessons };
}

/** @throws session_not_found */
export async function readContext(
  deps: MemoryDeps,
  request: ContextRequest,
  begun: Promise<SessionMaterial> = beginContext(deps, request),
): Promise<ContextMaterial> {
  const { sessionId, conversationId } = request;
  const [{ gathered, told, lessons }, conversationSummary, recent] = await Promise.all([
    begun,
    conversationId === null ? null : deps.dal.summaries.latest(sessionId, conversationId),
    conversationId === null
      ? []
      : deps.dal.turns.recent({ sessionId, conversationId, limit: RECENT_TURNS * 2 }),
  ]);
  const session = found(gathered.session);
  return { request, gathered: { ...gathered, session }, conversationSummary, recent, told, lessons };
}

const NO_CAUSES: ToldCauses = { narrative: null, failed: false };

/** The causal narrative; a fault of the projection costs the context this section and nothing else. */
async function causesOf({ causal, logger }: MemoryDeps, request: SessionRequest): Promise<ToldCauses> {
  if (!causal) return NO_CAUSES;
  try {
    const told = await causal.narrative({
      sessionId: request.sessionId,
      query: request.directive,
      maxTokens: Math.min(CAUSAL_TOKENS, request.maxTokens),
      onlyWhenTelling: true,
    });
    return { narrative: told.text === '' ? null : told, failed: false };
  } catch (error) {
    logger.warn({ err: error, session_id: request.sessionId }, 'no causes in the context');
    return { narrative: null, failed: true };
  }
}
