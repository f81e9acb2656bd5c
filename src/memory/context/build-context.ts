import type { Logger } from '../../base/logger.ts';
import type { CausalNarrative } from '../../causal/causal-memory-core.ts';
import type { ConversationRecord, TurnRecord } from '../../store/records.ts';
import type { MemoryDeps } from '../deps.ts';
import type { MemoryService } from '../memory-service.ts';
import { found } from '../sessions.ts';
import { isSaid, worthShowing } from './candidates.ts';
import { compose, type Composed } from './compose.ts';
import { findTurns } from './find-turns.ts';
import { conversationsOf } from './gather.ts';
import { gist } from './gist.ts';
import { beginContext, readContext, RECENT_TURNS } from './read-context.ts';
import type { BuiltContext, ContextFact, ContextMaterial, ContextTurn } from './context-types.ts';

export function contextMethods(
  deps: MemoryDeps,
): Pick<MemoryService, 'beginContext' | 'readContext' | 'composeContext' | 'buildContext' | 'searchTurns'> {
  return {
    beginContext: (request) => beginContext(deps, request),
    readContext: (request, begun) => readContext(deps, request, begun),
    composeContext: (material) => composeContext(deps, material),
    buildContext: async (request) => composeContext(deps, await readContext(deps, request)),
    async searchTurns({ sessionId, query, maxResults, relevanceThreshold, timeRange }) {
      found(await deps.dal.sessions.get(sessionId));
      const turns = await findTurns(deps, {
        sessionId,
        query: gist(query),
        limit: maxResults,
        timeRange,
        now: deps.clock.now(),
      });
      return turns.filter(({ score }) => score >= relevanceThreshold);
    },
  };
}

/** Chooses what is shown of what was read, and writes it. */
async function composeContext(deps: MemoryDeps, material: ContextMaterial): Promise<BuiltContext> {
  const { request, gathered, conversationSummary, recent, told, lessons } = material;
  const { sessionId, maxTurns, maxTokens } = request;
  const { summary, agentStates, facts, relevant } = gathered;
  const { narrative: causes } = told;
  const causalNarrative = causes?.text ?? null;
  const newest = recent.filter(isSaid).slice(-RECENT_TURNS).map(asRecent);
  const candidates = [...relevant.found, ...relevant.neighbours];
  const turns = await worthShowing(newest, candidates, request.alreadySent, deps.asStored);
  const conversations = new Map(gathered.conversations.map((each) => [each.conversationId, each]));
  for (const each of await conversationsOf(deps, sessionId, turns.slice(0, maxTurns * 2), conversations)) {
    conversations.set(each.conversationId, each);
  }
  const composed = await compose(
    { facts, summary, conversationSummary, causalNarrative, agentStates, turns, conversations },
    maxTurns,
    maxTokens,
  );
  const shown = new Set(composed.shown);
  const omittedTurns =
    relevant.unread + turns.filter((turn) => turn.source !== 'neighbour' && !shown.has(turn)).length;
  const omittedFacts = facts.pinned.length + facts.relevant.length - composed.facts.length;
  logContext(deps.logger, sessionId, composed, { omitted_turns: omittedTurns, omitted_facts: omittedFacts });
  return {
    prompt: composed.prompt,
    tokenCount: composed.tokenCount,
    relevantTurns: composed.shown,
    relevantConversations: relevantConversations(composed.shown, conversations),
    summary: conversationSummary ?? summary,
    causalNarrative: composed.causalNarrative,
    counters: causes ? countersIn(causes) : [],
    agentStates,
    lessons,
    totalConversations: gathered.session.conversationCount,
    sections: composed.sections,
    facts: composed.facts,
    omittedTurns,
    omittedFacts,
    ...(told.failed ? { faults: ['the causes could not be read'] } : {}),
  };
}

function logContext(
  logger: Logger,
  sessionId: string,
  { shown, facts }: Composed,
  omitted: Record<string, number>,
): void {
  if (!logger.isLevelEnabled('debug')) return;
  const why = ({ source, score, parts }: ContextTurn | ContextFact) => ({ source, score, parts });
  logger.debug(
    {
      session_id: sessionId,
      turns: shown.map((item) => ({ id: item.turn.turnId, ...why(item) })),
      facts: facts.map((item) => ({ id: item.fact.factId, ...why(item) })),
      ...omitted,
    },
    'context built',
  );
}

function asRecent(turn: TurnRecord): ContextTurn {
  return { turn, score: 1, source: 'recent', parts: { recent: 1 } };
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

/** What stands against events of the narrative. What only keeps one from coming back says nothing against it. */
function countersIn({ events, links }: CausalNarrative): NonNullable<BuiltContext['counters']> {
  const byId = new Map(events.map((event) => [event.eventId, event]));
  return links.flatMap(({ relation, causeId, effectId }) => {
    const by = byId.get(causeId);
    const against = byId.get(effectId);
    if (!by || !against || (relation !== 'prevented' && relation !== 'superseded')) return [];
    if (relation === 'prevented' && by.happenedAt >= against.happenedAt) return [];
    return [
      {
        relation,
        against: { text: against.text, at: against.happenedAt },
        by: { text: by.text, at: by.happenedAt },
      },
    ];
  });
}
