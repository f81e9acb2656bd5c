import type { ConversationRecord, TurnRecord } from '../../store/records.ts';
import type { MemoryDeps } from '../deps.ts';
import type { BuiltContext, ContextRequest, ContextTurn, MemoryService } from '../memory-service.ts';
import { found } from '../sessions.ts';
import { isSaid, worthShowing } from './candidates.ts';
import { compose } from './compose.ts';

/** Candidates that are looked at for each turn that may be shown. */
const CANDIDATES_PER_TURN = 4;
const FEWEST_CANDIDATES = 40;
/** Newest turns of the open conversation that are shown when the client did not send them itself. */
const RECENT_TURNS = 6;
/** How many of the best turns are shown with the turns beside them. */
const WITH_NEIGHBOURS = 3;
/** What a neighbour's score is, relative to the turn it makes readable. */
const NEIGHBOUR_SCORE = 0.5;
/** Tokens of the causal narrative that is asked for. */
const CAUSAL_TOKENS = 400;

export function contextMethods(deps: MemoryDeps): Pick<MemoryService, 'buildContext' | 'searchTurns'> {
  return {
    buildContext: (request) => buildContext(deps, request),
    async searchTurns({ sessionId, query, maxResults, relevanceThreshold, timeRange }) {
      found(await deps.dal.sessions.get(sessionId));
      const turns = await retrieve(deps, { sessionId, query, limit: maxResults * 2, timeRange });
      return turns.filter(({ score }) => score >= relevanceThreshold).slice(0, maxResults);
    },
  };
}

async function buildContext(deps: MemoryDeps, request: ContextRequest): Promise<BuiltContext> {
  const { dal } = deps;
  const { sessionId, conversationId, maxTurns, maxTokens } = request;
  const session = found(await dal.sessions.get(sessionId));
  const [summary, conversationSummary, candidates, recent, agentStates, causalNarrative] = await Promise.all([
    dal.summaries.latest(sessionId, null),
    conversationId === null ? null : dal.summaries.latest(sessionId, conversationId),
    retrieve(deps, {
      sessionId,
      query: request.directive,
      limit: Math.max(FEWEST_CANDIDATES, maxTurns * CANDIDATES_PER_TURN),
      timeRange: null,
    }),
    conversationId === null ? [] : dal.turns.recent({ sessionId, conversationId, limit: RECENT_TURNS * 2 }),
    request.includeAgentState ? dal.agents.list(sessionId) : [],
    request.includeCausal ? causes(deps, request) : null,
  ]);
  const neighbours = await neighboursOf(deps, sessionId, candidates);
  const newest = recent.filter(isSaid).slice(-RECENT_TURNS).map(asRecent);
  const turns = worthShowing([...newest, ...candidates, ...neighbours], request.alreadySent);
  const conversations = await conversationsOf(deps, turns.slice(0, maxTurns * 2));
  const composed = compose(
    { summary, conversationSummary, causalNarrative, agentStates, turns, conversations },
    maxTurns,
    maxTokens,
  );
  deps.logger.debug(
    {
      session_id: sessionId,
      turns: composed.shown.map(({ turn, score, parts }) => ({ id: turn.turnId, score, parts })),
    },
    'context built',
  );
  const shown = new Set(composed.shown);
  return {
    prompt: composed.prompt,
    tokenCount: composed.tokenCount,
    relevantTurns: composed.shown,
    relevantConversations: relevantConversations(composed.shown, conversations),
    summary: conversationSummary ?? summary,
    causalNarrative: composed.causalNarrative,
    agentStates,
    lessons: [],
    totalConversations: session.conversationCount,
    sections: composed.sections,
    omittedTurns: turns.filter((turn) => turn.source !== 'neighbour' && !shown.has(turn)).length,
  };
}

/** Ranked turns with their texts. Scores are relative to the best one found. */
async function retrieve(
  { dal, retriever, clock }: MemoryDeps,
  input: {
    sessionId: string;
    query: string;
    limit: number;
    timeRange: { from?: number; to?: number } | null;
  },
): Promise<ContextTurn[]> {
  const { sessionId } = input;
  const ranked = await retriever.retrieve({ ...input, now: clock.now() });
  const turns = await dal.turns.byPosition(sessionId, ranked);
  const best = ranked[0]?.score ?? 0;
  return ranked.flatMap((item, at): ContextTurn[] => {
    const turn = turns[at];
    if (!turn) return [];
    return [{ turn, score: best > 0 ? item.score / best : 0, source: 'lexical', parts: { ...item.parts } }];
  });
}

/** The turns beside the best ones: an answer is hard to read without its question. */
async function neighboursOf(
  { dal }: MemoryDeps,
  sessionId: string,
  candidates: ContextTurn[],
): Promise<ContextTurn[]> {
  const lists = await Promise.all(
    candidates.slice(0, WITH_NEIGHBOURS).map(async ({ turn, score }) => {
      const around = await dal.turns.list({
        sessionId,
        conversationId: turn.conversationId,
        fromNumber: Math.max(1, turn.turnNumber - 1),
        limit: 3,
      });
      return around
        .filter(({ turnId }) => turnId !== turn.turnId)
        .map((beside): ContextTurn => ({
          turn: beside,
          score: score * NEIGHBOUR_SCORE,
          source: 'neighbour',
          parts: { beside: score },
        }));
    }),
  );
  return lists.flat();
}

function asRecent(turn: TurnRecord): ContextTurn {
  return { turn, score: 1, source: 'recent', parts: { recent: 1 } };
}

async function conversationsOf(
  { dal }: MemoryDeps,
  turns: ContextTurn[],
): Promise<Map<string, ConversationRecord>> {
  const ids = [...new Set(turns.map(({ turn }) => turn.conversationId))];
  const records = await Promise.all(ids.map((id) => dal.conversations.get(id)));
  return new Map(records.flatMap((record) => (record ? [[record.conversationId, record]] : [])));
}

/** The conversations that the shown turns come from; the best turn speaks for its conversation. */
function relevantConversations(
  shown: ContextTurn[],
  conversations: Map<string, ConversationRecord>,
): BuiltContext['relevantConversations'] {
  const scores = new Map<string, { score: number; source: string }>();
  for (const { turn, score, source } of shown) {
    const known = scores.get(turn.conversationId);
    if (!known || known.score < score) scores.set(turn.conversationId, { score, source });
  }
  return [...scores]
    .map(([conversationId, { score, source }]) => ({
      conversationId,
      directive: conversations.get(conversationId)?.directive ?? '',
      score,
      source,
    }))
    .sort((a, b) => b.score - a.score);
}

/** The causal narrative; a fault of the projection costs the context this section and nothing else. */
async function causes({ causal, logger }: MemoryDeps, request: ContextRequest): Promise<string | null> {
  if (!causal) return null;
  try {
    const { text } = await causal.narrative({
      sessionId: request.sessionId,
      query: request.directive,
      maxTokens: Math.min(CAUSAL_TOKENS, request.maxTokens),
      onlyWhenTelling: true,
    });
    return text === '' ? null : text;
  } catch (error) {
    logger.warn({ err: error, session_id: request.sessionId }, 'no causes in the context');
    return null;
  }
}
