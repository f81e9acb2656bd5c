import type { ConversationRecord } from '../../store/records.ts';
import { comparable, isMasked, showable, weighed } from './candidates.ts';
import { findFacts, withoutOutdated } from './find-facts.ts';
import { rankTurns, readNeighbours, readRanked, type Finders } from './find-turns.ts';
import { lookUpAsked, withoutStale } from './superseded.ts';
import type { ContextTurn, FoundTurns, GatherRequest, Gathered } from './context-types.ts';

/** Candidates that are looked at for each turn that may be shown. */
const CANDIDATES_PER_TURN = 4;
const FEWEST_CANDIDATES = 40;
/** Those that are read first, for each turn that may be shown: the others only where these do not suffice. */
const READ_FIRST_PER_TURN = 2;
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

const NOTHING: FoundTurns = { found: [], neighbours: [], unread: 0 };

/** What bears on the directive: said words before the steps of the work, what holds before what held once. */
async function findRelevant(
  finders: Finders,
  { sessionId, directive, maxTurns, maxTokens, alreadySent, now }: GatherRequest,
): Promise<FoundTurns> {
  const limit = Math.max(FEWEST_CANDIDATES, maxTurns * CANDIDATES_PER_TURN);
  const mostTerms = FEWEST_TERMS + maxTokens * TERMS_PER_TOKEN;
  const question = { sessionId, query: directive, limit, mostTerms, timeRange: null, now };
  const begun = lookUpAsked(finders, question);
  const ranked = await rankTurns(finders, question);
  const best = ranked[0]?.score ?? 0;
  const first = maxTurns * READ_FIRST_PER_TURN;
  const read = (from: number, to?: number) =>
    readRanked(finders, sessionId, ranked.slice(from, to), best).then(weighed);
  const [likely, neighbours] = await Promise.all([
    read(0, first),
    readNeighbours(finders, sessionId, ranked, best),
  ]);
  const next = best > 0 ? (ranked[first]?.score ?? 0) / best : 0;
  const enough = next === 0 || hasEnough(likely, { above: next, count: maxTurns, sent: alreadySent });
  const found = enough ? likely : [...likely, ...(await read(first))];
  const holding = await withoutStale(finders, question, found, maxTurns * 2, begun);
  return {
    found: await withoutOutdated(finders, sessionId, holding),
    neighbours,
    unread: enough ? Math.max(0, ranked.length - first) : 0,
  };
}

/** Whether so many of them can be shown whatever stands behind them: none there has a score `above` theirs. */
function hasEnough(
  found: ContextTurn[],
  { above, count, sent }: { above: number; count: number; sent: readonly string[] },
): boolean {
  // What the client has sent cannot be told from what was masked here: it is looked at where that is known.
  if (found.some(isMasked)) return false;
  const ranked = found.filter(({ score }) => score >= above).toSorted((a, b) => b.score - a.score);
  const texts = ranked.map(({ turn }) => comparable(turn.content));
  return showable(ranked, texts, new Set(sent)).length >= count;
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
