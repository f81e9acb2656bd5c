import type { TurnRecord } from '../../store/records.ts';
import type { MemoryDeps } from '../deps.ts';
import type { ContextTurn } from '../memory-service.ts';
import type { FoundTurn } from '../retrieval/retriever.ts';
import { isSaid } from './candidates.ts';

/** How many of the best turns are shown with the turns beside them. */
const WITH_NEIGHBOURS = 3;
/** What a neighbour's score is, relative to the turn it makes readable. */
const NEIGHBOUR_SCORE = 0.5;
/** How far a neighbour may be: between a directive and its answer stand guidance, drafts and verdicts. */
const REACH = 4;

export interface Question {
  sessionId: string;
  query: string;
  limit: number;
  timeRange: { from?: number; to?: number } | null;
}

export interface FoundTurns {
  /** Best first. */
  found: ContextTurn[];
  /** Turns beside the best ones: an answer is hard to read without its question. */
  neighbours: ContextTurn[];
}

type Finders = Pick<MemoryDeps, 'dal' | 'retriever' | 'clock'>;

/**
 * Ranked turns with their texts, and their neighbours when wanted. Scores are relative to the best one found: the parts
 * of the ranking add up to the score times `best`.
 */
export async function findTurns(
  { dal, retriever, clock }: Finders,
  { sessionId, query, limit, timeRange }: Question,
  withNeighbours = false,
): Promise<FoundTurns> {
  const ranked = await retriever.retrieve({ sessionId, query, limit, timeRange, now: clock.now() });
  const best = ranked[0]?.score ?? 0;
  const around = withNeighbours ? ranked.slice(0, WITH_NEIGHBOURS).map(positionsAround) : [];
  // One question to the record for all of them.
  const turns = await dal.turns.byPosition(sessionId, [...ranked, ...around.flat()]);
  const items = ranked.map((item, at): ContextTurn | null => {
    const turn = turns[at];
    const score = best > 0 ? item.score / best : 0;
    return turn ? { turn, score, source: 'lexical', parts: { ...item.parts, best } } : null;
  });
  let from = ranked.length;
  const neighbours = around.flatMap((positions, at): ContextTurn[] => {
    const near = turns.slice(from, (from += positions.length));
    const item = items[at];
    return item ? besideOf(item, near) : [];
  });
  return { found: items.filter((item) => item !== null), neighbours };
}

function positionsAround({ conversationOrdinal, turnNumber }: FoundTurn) {
  const numbers = Array.from({ length: 2 * REACH + 1 }, (_, at) => turnNumber - REACH + at);
  return numbers
    .filter((number) => number >= 1 && number !== turnNumber)
    .map((number) => ({ conversationOrdinal, turnNumber: number }));
}

/** The nearest turn on each side that was said to somebody. */
function besideOf({ turn, score }: ContextTurn, near: (TurnRecord | null)[]): ContextTurn[] {
  const said = near.filter((other) => other !== null).filter(isSaid);
  const before = said.findLast(({ turnNumber }) => turnNumber < turn.turnNumber);
  const after = said.find(({ turnNumber }) => turnNumber > turn.turnNumber);
  return [before, after].flatMap((beside): ContextTurn[] =>
    beside
      ? [{ turn: beside, score: score * NEIGHBOUR_SCORE, source: 'neighbour', parts: { beside: score } }]
      : [],
  );
}
