import type { ConversationRecord } from '../../store/records.ts';
import { weighed } from './candidates.ts';
import { findFacts, withoutOutdated } from './find-facts.ts';
import { findTurns, type Finders } from './find-turns.ts';
import { lookUpAsked, withoutStale } from './superseded.ts';
import type { ContextTurn, FoundTurns, GatherRequest, Gathered } from './context-types.ts';

/** Candidates that are looked at for each turn that may be shown. */
const CANDIDATES_PER_TURN = 4;
const FEWEST_CANDIDATES = 40;
/** Terms of the candidates for each token that may be used: a turn is cut to its share, so some are read in vain. */
const TERMS_PER_TOKEN = 2;
const FEWEST_TERMS = 50_000;

/** Reads what a context needs of a session, in several looks at the record that build on each other. */
export async function gather(finders: Finders, request: GatherRequest): Promise<Gathered> {
  const { dal } = finders;
  const { sessionId, maxTurns } = request;
  const [session, summary, agentStates, facts, [relevant, conversations]] = await Promise.all([
    dal.sessions.get(sessionId),
    dal.summaries.latest(sessionId, null),
    request.includeAgentState ? dal.agents.list(sessionId) : [],
    findFacts(finders, request),
    withConversations(finders, request, maxTurns === 0 ? NOTHING : findRelevant(finders, request)),
  ]);
  return { session, summary, agentStates, facts, relevant, conversations };
}

const NOTHING: FoundTurns = { found: [], neighbours: [] };

/** What bears on the directive: said words before the steps of the work, what holds before what held once. */
async function findRelevant(
  finders: Finders,
  { sessionId, directive, maxTurns, maxTokens, now }: GatherRequest,
): Promise<FoundTurns> {
  const limit = Math.max(FEWEST_CANDIDATES, maxTurns * CANDIDATES_PER_TURN);
  const mostTerms = FEWEST_TERMS + maxTokens * TERMS_PER_TOKEN;
  const question = { sessionId, query: directive, limit, mostTerms, timeRange: null, now };
  const begun = lookUpAsked(finders, question);
  const { found: ranked, neighbours } = await findTurns(finders, question, true);
  const holding = await withoutStale(finders, question, weighed(ranked), maxTurns * 2, begun);
  return { found: await withoutOutdated(finders, sessionId, holding), neighbours };
}

async function withConversations(
  finders: Finders,
  { sessionId, maxTurns }: GatherRequest,
  finding: FoundTurns | Promise<FoundTurns>,
): Promise<[FoundTurns, ConversationRecord[]]> {
  const relevant = await finding;
  const best = [...relevant.found.slice(0, maxTurns * 2), ...relevant.neighbours];
  return [relevant, await conversationsOf(finders, sessionId, best)];
}

/** The conversations that turns come from, but for those that are known. */
export async function conversationsOf(
  { dal }: Pick<Finders, 'dal'>,
  sessionId: string,
  turns: readonly ContextTurn[],
  known: ReadonlyMap<string, unknown> = new Map(),
): Promise<ConversationRecord[]> {
  const ids = [...new Set(turns.map(({ turn }) => turn.conversationId))].filter((id) => !known.has(id));
  return ids.length === 0 ? [] : dal.conversations.getMany(sessionId, ids);
}
