import type { TurnRecord } from '../../store/records.ts';
import type { MemoryDAL } from '../../store/memory-dal.ts';
import { AROUND, type FoundTurn, type Retriever } from '../retrieval/retriever.ts';
import { isSaid } from './candidates.ts';
import type { ContextTurn } from './context-types.ts';

/** How many of the best turns are shown with the turns beside them. */
const WITH_NEIGHBOURS = 3;
/** What a neighbour's score is, relative to the turn it makes readable. */
const NEIGHBOUR_SCORE = 0.5;
/** How far a neighbour may be: between a directive and its answer stand guidance, drafts and verdicts. */
const FURTHER = Array.from({ length: AROUND - 1 }, (_, at) => at + 2);
/** Most that is read from the record at once, in term occurrences: about a megabyte, which others have to wait for. */
const READ_AT_ONCE = 150_000;

export interface Question {
  sessionId: string;
  query: string;
  limit: number;
  /** Of longer turns fewer are read: the best, and the others while they have no more terms than this in all. */
  mostTerms?: number;
  timeRange: { from?: number; to?: number } | null;
  /** At most so many turns that seem to be of the same words. */
  mostAlike?: number;
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
 * Turns that bear on a question with their texts, best first. Scores are relative to the best one found: the parts of the
 * ranking add up to the score times `best`.
 */
export async function findTurns(finders: Finders, question: Question): Promise<ContextTurn[]> {
  const { ranked } = await rankTurns(finders, question);
  return readRanked(finders, question.sessionId, ranked, ranked[0]?.score ?? 0);
}

/** Where they are, and whether there are no more than these. */
export async function rankTurns(
  { retriever }: Finders,
  { mostTerms = Infinity, ...question }: Question,
): Promise<{ ranked: FoundTurn[]; isAll: boolean }> {
  const found = await retriever.retrieve(question);
  let terms = 0;
  const ranked = found.filter(({ length }, at) => (terms += length) <= mostTerms || at === 0);
  return { ranked, isAll: found.length < question.limit && ranked.length === found.length };
}

/** @param best the score that counts as 1 */
export async function readRanked(
  { dal }: Finders,
  sessionId: string,
  ranked: readonly FoundTurn[],
  best: number,
): Promise<ContextTurn[]> {
  const turns = await readTurns(
    dal,
    sessionId,
    ranked.map((item) => ({ positions: [item], length: item.length })),
  );
  return ranked.flatMap((item, at): ContextTurn[] => {
    const turn = turns[at];
    const score = best > 0 ? item.score / best : 0;
    return turn ? [{ turn, score, source: sourceOf(item), parts: { ...item.parts, best } }] : [];
  });
}

/** Turns beside the best of those that were read: the nearest one on each side that was said to somebody. */
export async function readNeighbours(
  { dal }: Finders,
  sessionId: string,
  ranked: readonly FoundTurn[],
  best: number,
): Promise<ContextTurn[]> {
  const sides = ranked.slice(0, WITH_NEIGHBOURS).flatMap((item) => [
    { item, step: -1 },
    { item, step: 1 },
  ]);
  const read = (wanted: typeof sides, distances: readonly number[]) =>
    readTurns(
      dal,
      sessionId,
      wanted.map(({ item, step }) => ({
        positions: distances.map((distance) => ({
          conversationOrdinal: item.conversationOrdinal,
          turnNumber: item.turnNumber + step * distance,
        })),
        length: item.lengthAround,
      })),
    );
  const nearest = await read(sides, [1]);
  // Mostly that is it; where a cycle was at work, what was said stands behind its steps.
  const further = sides.filter((_, at) => nearest[at] && !isSaid(nearest[at]));
  const beyond = further.length > 0 ? await read(further, FURTHER) : [];
  return sides.flatMap((side, at): ContextTurn[] => {
    const from = further.indexOf(side) * FURTHER.length;
    const turn = [nearest[at], ...(from < 0 ? [] : beyond.slice(from, from + FURTHER.length))].find(
      (each) => each && isSaid(each),
    );
    const beside = best > 0 ? side.item.score / best : 0;
    return turn ? [{ turn, score: beside * NEIGHBOUR_SCORE, source: 'neighbour', parts: { beside } }] : [];
  });
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
