import type { CausalNarrative } from '../../causal/causal-memory-core.ts';
import type { ConversationRecord, TurnRecord } from '../../store/records.ts';
import type { MemoryDeps } from '../deps.ts';
import type { BuiltContext, ContextRequest, ContextTurn, MemoryService } from '../memory-service.ts';
import { chooseLessons } from '../lessons/choose-lessons.ts';
import { found } from '../sessions.ts';
import { isSaid, weighed, worthShowing } from './candidates.ts';
import { compose } from './compose.ts';
import { findFacts, withoutOutdated } from './find-facts.ts';
import { findTurns, type FoundTurns } from './find-turns.ts';
import { lookUpAsked, withoutStale } from './superseded.ts';

/** Candidates that are looked at for each turn that may be shown. */
const CANDIDATES_PER_TURN = 4;
const FEWEST_CANDIDATES = 40;
/** Terms of the candidates for each token that may be used: a turn is cut to its share, so some are read in vain. */
const TERMS_PER_TOKEN = 2;
const FEWEST_TERMS = 50_000;
/** Newest turns of the open conversation that are shown when the client did not send them itself. */
const RECENT_TURNS = 6;
/** Tokens of the causal narrative that is asked for. */
const CAUSAL_TOKENS = 400;

export function contextMethods(deps: MemoryDeps): Pick<MemoryService, 'buildContext' | 'searchTurns'> {
  return {
    buildContext: (request) => buildContext(deps, { ...request, directive: gist(request.directive) }),
    async searchTurns({ sessionId, query, maxResults, relevanceThreshold, timeRange }) {
      found(await deps.dal.sessions.get(sessionId));
      const turns = await findTurns(deps, { sessionId, query: gist(query), limit: maxResults, timeRange });
      return turns.found.filter(({ score }) => score >= relevanceThreshold);
    },
  };
}

/** How much of a long directive is looked at, in characters: its beginning, and first its last sentence, where one asks. */
const GIST = { end: 300, beginning: 5_700 } as const;

/** What of a directive is searched for. One that brings a document along is not searched for word by word. */
function gist(directive: string): string {
  if (directive.length <= GIST.end + GIST.beginning) return directive;
  const last =
    /(?:^|[\n.!?。！？])[^\n.!?。！？]+[\s.!?。！？]*$/u.exec(directive.slice(-GIST.end))?.[0] ?? '';
  // A piece of a sentence that began further in front is no question of its own.
  const asked = last.length < GIST.end ? last : '';
  return `${asked}\n${directive.slice(0, GIST.beginning)}`;
}

async function buildContext(deps: MemoryDeps, request: ContextRequest): Promise<BuiltContext> {
  const { dal } = deps;
  const { sessionId, conversationId, maxTurns, maxTokens } = request;
  const [session, summary, conversationSummary, relevant, recent, agentStates, told, facts, lessons] =
    await Promise.all([
      dal.sessions.get(sessionId),
      dal.summaries.latest(sessionId, null),
      conversationId === null ? null : dal.summaries.latest(sessionId, conversationId),
      maxTurns === 0 ? { found: [], neighbours: [] } : findRelevant(deps, request),
      conversationId === null ? [] : dal.turns.recent({ sessionId, conversationId, limit: RECENT_TURNS * 2 }),
      request.includeAgentState ? dal.agents.list(sessionId) : [],
      request.includeCausal ? causesOf(deps, request) : NO_CAUSES,
      findFacts(deps, request),
      request.includeAgentState ? chooseLessons(deps, sessionId, request.directive) : [],
    ]);
  const { conversationCount } = found(session);
  const { narrative: causes } = told;
  const causalNarrative = causes?.text ?? null;
  const newest = recent.filter(isSaid).slice(-RECENT_TURNS).map(asRecent);
  const candidates = [...relevant.found, ...relevant.neighbours];
  const turns = await worthShowing(newest, candidates, request.alreadySent, deps.asStored);
  const conversations = await conversationsOf(deps, sessionId, turns.slice(0, maxTurns * 2));
  const composed = await compose(
    { facts, summary, conversationSummary, causalNarrative, agentStates, turns, conversations },
    maxTurns,
    maxTokens,
  );
  const shown = new Set(composed.shown);
  const omittedTurns = turns.filter((turn) => turn.source !== 'neighbour' && !shown.has(turn)).length;
  const omittedFacts = facts.pinned.length + facts.relevant.length - composed.facts.length;
  deps.logger.debug(
    {
      session_id: sessionId,
      turns: composed.shown.map(({ turn, source, score, parts }) => ({
        id: turn.turnId,
        source,
        score,
        parts,
      })),
      facts: composed.facts.map(({ fact, source, score, parts }) => ({
        id: fact.factId,
        source,
        score,
        parts,
      })),
      omitted_turns: omittedTurns,
      omitted_facts: omittedFacts,
    },
    'context built',
  );
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
    totalConversations: conversationCount,
    sections: composed.sections,
    facts: composed.facts,
    omittedTurns,
    omittedFacts,
    ...(told.failed ? { faults: ['the causes could not be read'] } : {}),
  };
}

/** What bears on the directive: said words before the steps of the work, what holds before what held once. */
async function findRelevant(
  deps: MemoryDeps,
  { sessionId, directive, maxTurns, maxTokens }: ContextRequest,
): Promise<FoundTurns> {
  const limit = Math.max(FEWEST_CANDIDATES, maxTurns * CANDIDATES_PER_TURN);
  const mostTerms = FEWEST_TERMS + maxTokens * TERMS_PER_TOKEN;
  const question = { sessionId, query: directive, limit, mostTerms, timeRange: null };
  const begun = lookUpAsked(deps, question);
  const { found: ranked, neighbours } = await findTurns(deps, question, true);
  const holding = await withoutStale(deps, question, weighed(ranked), maxTurns * 2, begun);
  return { found: await withoutOutdated(deps, sessionId, holding), neighbours };
}

function asRecent(turn: TurnRecord): ContextTurn {
  return { turn, score: 1, source: 'recent', parts: { recent: 1 } };
}

async function conversationsOf(
  { dal }: MemoryDeps,
  sessionId: string,
  turns: ContextTurn[],
): Promise<Map<string, ConversationRecord>> {
  const ids = [...new Set(turns.map(({ turn }) => turn.conversationId))];
  const records = ids.length === 0 ? [] : await dal.conversations.getMany(sessionId, ids);
  return new Map(records.map((record) => [record.conversationId, record]));
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

/** What causal memory tells, if anything, and whether it could be asked. */
interface ToldCauses {
  narrative: CausalNarrative | null;
  failed: boolean;
}

const NO_CAUSES: ToldCauses = { narrative: null, failed: false };

/** The causal narrative; a fault of the projection costs the context this section and nothing else. */
async function causesOf({ causal, logger }: MemoryDeps, request: ContextRequest): Promise<ToldCauses> {
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
