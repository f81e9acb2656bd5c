import type { TurnRecord } from '../../store/records.ts';
import type { MemoryDAL } from '../../store/memory-dal.ts';
import { AROUND, type FoundTurn, type Retriever } from '../retrieval/retriever.ts';
import { isSaid } from './candidates.ts';
import type { ContextTurn, FoundTurns } from './context-types.ts';

/** How many of the best turns are shown with the turns beside them. */
const WITH_NEIGHBOURS = 3;
/** What a neighbour's score is, relative to the turn it makes readable. */
const NEIGHBOUR_SCORE = 0.5;
/** How far a neighbour may be: between a directive and its answer stand guidance, drafts and verdicts. */
const REACH = AROUND;
/** Most that is read from the record at once, in term occurrences: about a megabyte, which others have to wait for. */
const READ_AT_ONCE = 150_000;

export interface Question {
  sessionId: string;
  query: string;
  limit: number;
  /** Of longer turns fewer are read: the best, and the others while they have no more terms than this in all. */
  mostTerms?: number;
  timeRange: { from?: number; to?: number } | null;
  /** Now, in milliseconds since the epoch. */
  now: number;
}

type Position = Pick<FoundTurn, 'conversationOrdinal' | 'turnNumber'>;

/** What turns are found with. */
export interface Finders {
  dal: MemoryDAL;
  retriever: Retriever;
}

/**
 * Ranked turns with their texts, and their neighbours when wanted. Scores are relative to the best one found: the parts
 * of the ranking add up to the score times `best`.
 */
export async function findTurns(
  { dal, retriever }: Finders,
  { sessionId, query, limit, mostTerms = Infinity, timeRange, now }: Question,
  withNeighbours = false,
): Promise<FoundTurns> {
  const found = await retriever.retrieve({ sessionId, query, limit, timeRange, now });
  let terms = 0;
  const ranked = found.filter(({ length }, at) => (terms += length) <= mostTerms || at === 0);
  const best = ranked[0]?.score ?? 0;
  const around = withNeighbours ? ranked.slice(0, WITH_NEIGHBOURS).map(positionsAround) : [];
  const turns = await readTurns(dal, sessionId, [
    ...ranked.map((item) => ({ positions: [item], length: item.length })),
    ...around.map((positions, at) => ({ positions, length: ranked[at]?.lengthAround ?? 0 })),
  ]);
  const items = ranked.map((item, at): ContextTurn | null => {
    const turn = turns[at];
    const score = best > 0 ? item.score / best : 0;
    return turn ? { turn, score, source: sourceOf(item), parts: { ...item.parts, best } } : null;
  });
  let from = ranked.length;
  const neighbours = around.flatMap((positions, at): ContextTurn[] => {
    const near = turns.slice(from, (from += positions.length));
    const item = items[at];
    return item ? besideOf(item, near) : [];
  });
  return { found: items.filter((item) => item !== null), neighbours };
}

/** Reads turns in one question to the record; in several, one after the other, where they are very long. */
async function readTurns(
  dal: Finders['dal'],
  sessionId: string,
  wanted: { positions: Position[]; length: number }[],
): Promise<(TurnRecord | null)[]> {
  const turns: (TurnRecord | null)[] = [];
  let portion: Position[] = [];
  let length = 0;
  const read = async () => {
    if (portion.length > 0) turns.push(...(await dal.turns.byPosition(sessionId, portion)));
    portion = [];
    length = 0;
  };
  for (const each of wanted) {
    if (length + each.length > READ_AT_ONCE) await read();
    portion.push(...each.positions);
    length += each.length;
  }
  await read();
  return turns;
}

/** Which of the two found it: its words with those around it, or its meaning. */
function sourceOf({ parts }: FoundTurn): 'lexical' | 'dense' {
  return (parts.dense ?? 0) > parts.bm25 + parts.neighbours + parts.conversation ? 'dense' : 'lexical';
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
