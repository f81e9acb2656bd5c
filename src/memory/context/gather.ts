import type { ConversationRecord } from '../../store/records.ts';
import { breathing } from '../../text/breathing.ts';
import type { FoundTurn } from '../retrieval/retriever.ts';
import { comparable, isMasked, isSaid, sameness, showable, weighed } from './candidates.ts';
import { findFacts, withoutOutdated } from './find-facts.ts';
import { rankTurns, readNeighbours, readRanked, type Finders } from './find-turns.ts';
import { lookUpAsked, withoutStale } from './superseded.ts';
import type { ContextTurn, FoundTurns, GatherRequest, Gathered } from './context-types.ts';

/** Candidates that are looked at for each turn that may be shown. */
const CANDIDATES_PER_TURN = 4;
const FEWEST_CANDIDATES = 40;
/** Those that are read first, for each turn that may be shown: the others only where these do not suffice. */
const READ_FIRST_PER_TURN = 2;
/** Turns of the same words among those that are read last. */
const MOST_ALIKE = 2;
/** Terms of the candidates for each token that may be used: a turn is cut to its share, so some are read in vain. */
const TERMS_PER_TOKEN = 2;
const FEWEST_TERMS = 50_000;
/** English has some 0.25 tokens a letter, Chinese and Japanese from 1 to 1.3 a sign. */
const TOKENS_A_LETTER = 1 / 3;
const TOKENS_BEYOND_ASCII = 1.3;
/** Tokens that a turn takes beside its text. */
const TOKENS_BESIDE = 25;
/** Of a longer turn, in characters, it is not looked at whether it has room: it is one that may be cut. */
const LONG = 8_000;
/** Share of the tokens that turns can count on; other sections may take the rest. */
const SHARE_OF_TURNS = 0.5;

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

/**
 * What bears on the directive: said words before the steps of the work, what holds before what held once. The best are read
 * first, the others where these do not suffice; and where the best are the same words again and again, such as a question
 * that is asked each day, what else there is.
 */
async function findRelevant(finders: Finders, request: GatherRequest): Promise<FoundTurns> {
  const { sessionId, directive, maxTurns, maxTokens, now } = request;
  const question = {
    sessionId,
    query: directive,
    limit: Math.max(FEWEST_CANDIDATES, maxTurns * CANDIDATES_PER_TURN),
    mostTerms: FEWEST_TERMS + maxTokens * TERMS_PER_TOKEN,
    timeRange: null,
    now,
  };
  const begun = lookUpAsked(finders, question);
  const { ranked, isAll } = await rankTurns(finders, question);
  const best = ranked[0]?.score ?? 0;
  const first = maxTurns * READ_FIRST_PER_TURN;
  const texts: Texts = new Map();
  const read = async (turns: FoundTurn[]) =>
    compared(texts, weighed(await readRanked(finders, sessionId, turns, best)));
  const marked = async (turns: ContextTurn[]) => {
    const holding = await withoutStale(finders, question, turns, maxTurns * 2, begun);
    return compared(texts, await withoutOutdated(finders, sessionId, holding));
  };

  const [likely, neighbours] = await Promise.all([
    read(ranked.slice(0, first)),
    readNeighbours(finders, sessionId, ranked, best),
  ]);
  let found = await marked(likely);
  const unread = ranked.slice(first);
  const next = best > 0 ? (unread[0]?.score ?? 0) / best : 0;
  if (unread.length > 0 && hasEnough(found, texts, next, request))
    return { found, neighbours, unread: unread.length };

  let turns = likely;
  if (unread.length > 0) {
    turns = [...likely, ...(await read(unread))];
    found = await marked(turns);
  }
  if (!isAll && isCrowded(found, texts) && worthCounting(found, texts, request).length < maxTurns) {
    const known = new Set(ranked.map(placeOf));
    const unlike = await rankTurns(finders, { ...question, mostAlike: MOST_ALIKE });
    turns = [...turns, ...(await read(unlike.ranked.filter((each) => !known.has(placeOf(each)))))];
    found = await marked(turns);
  }
  return { found, neighbours, unread: 0 };
}

/** Comparable texts of turns, by their ids. */
type Texts = Map<string, string>;

/** Adds those of the turns, and gives the turns back. In steps: there may be hundreds of them, and long ones. */
async function compared(texts: Texts, turns: ContextTurn[]): Promise<ContextTurn[]> {
  const breathe = breathing();
  for (const { turn } of turns) {
    if (texts.has(turn.turnId)) continue;
    texts.set(turn.turnId, comparable(turn.content));
    await breathe();
  }
  return turns;
}

function placeOf({ conversationOrdinal, turnNumber }: FoundTurn): string {
  return `${String(conversationOrdinal)} ${String(turnNumber)}`;
}

/**
 * Whether these will do: as many as may be shown are better than all others, and have room. The others could only tell of
 * something that has changed what is told here already.
 * @param next the score of the best of the others
 */
function hasEnough(found: ContextTurn[], texts: Texts, next: number, request: GatherRequest): boolean {
  // What the client has sent cannot be told from what was masked here: it is looked at where that is known.
  if (found.some(isMasked)) return false;
  // A step of the work may still give way to an answer.
  const better = worthCounting(found, texts, request).filter(
    ({ turn, score }) => score >= next && isSaid(turn),
  );
  const shown = better.slice(0, request.maxTurns);
  return shown.length >= request.maxTurns && haveRoom(shown, request.maxTokens * SHARE_OF_TURNS);
}

/** Where a long one does not fit, a shorter one among the others may. */
function haveRoom(shown: ContextTurn[], tokens: number): boolean {
  let left = tokens;
  for (const { turn } of shown) {
    if (turn.content.length > LONG) return false;
    left -= guessedTokens(turn.content) + TOKENS_BESIDE;
    if (left < 0) return false;
  }
  return true;
}

/** Rather too many. Not counted: where this is done there is no tokenizer, which would take 43 MB there too. */
function guessedTokens(text: string): number {
  let beyondAscii = 0;
  for (let at = 0; at < text.length; at += 1) if (text.charCodeAt(at) > 0x7f) beyondAscii += 1;
  return (text.length - beyondAscii) * TOKENS_A_LETTER + beyondAscii * TOKENS_BEYOND_ASCII;
}

/** Whether half of them or more repeat others: what else there is may have had no place among them. */
function isCrowded(found: ContextTurn[], texts: Texts): boolean {
  const different = new Set(found.map(({ turn }) => sameness(texts.get(turn.turnId) ?? '')));
  return different.size * 2 <= found.length;
}

/** Those that could be shown, best first. */
function worthCounting(found: ContextTurn[], texts: Texts, { alreadySent }: GatherRequest): ContextTurn[] {
  const ranked = found.toSorted((a, b) => b.score - a.score);
  return showable(
    ranked,
    ranked.map(({ turn }) => texts.get(turn.turnId) ?? ''),
    new Set(alreadySent),
  );
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
