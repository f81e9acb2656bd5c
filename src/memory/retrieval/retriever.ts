import type { MemoryDAL } from '../../store/memory-dal.ts';
import type { IndexLookup } from '../../store/turn-index.ts';
import type { DenseSearch } from '../embeddings/query-embedder.ts';
import { likenessOf } from './likeness.ts';
import { questionTerms, readQuestion } from './question.ts';
import { RANKING, type RankingConstants } from './ranking-constants.ts';
import { bestPlaces, bestUnlikePlaces } from './best-places.ts';
import { TurnScorer, type ScoreParts } from './turn-scorer.ts';

/** A turn that bears on a question, by its place in the session. */
export interface FoundTurn {
  conversationOrdinal: number;
  turnNumber: number;
  score: number;
  /** Its length in term occurrences, and that of it and the turns around it together. */
  length: number;
  lengthAround: number;
  /** What the score was made of. */
  parts: ScoreParts;
}

export interface Retriever {
  /** Best first. Empty when nothing in the session bears on the question. */
  retrieve(input: {
    sessionId: string;
    query: string;
    limit: number;
    /** Now, for dates such as "last week", in milliseconds since the epoch. */
    now: number;
    /** Only turns said from `from` on and not after `to`, to the minute. */
    timeRange?: { from?: number; to?: number } | null;
    /** At most so many turns that seem to be of the same words, as far as they have words of the question. Takes longer. */
    mostAlike?: number;
  }): Promise<FoundTurn[]>;
}

/** Finds turns by their words, in one look at the index, and by their meaning where there is a model. */
export function createRetriever({
  dal,
  constants = RANKING,
  dense = null,
}: {
  dal: Pick<MemoryDAL, 'index'>;
  constants?: RankingConstants;
  /** Null: by words alone. */
  dense?: Pick<DenseSearch, 'similarities'> | null;
}): Retriever {
  return {
    async retrieve({ sessionId, query, limit, now, timeRange, mostAlike }) {
      const terms = questionTerms(query);
      if ((terms.own.length === 0 && !dense) || limit <= 0) return [];
      const index = await dal.index.lookup(sessionId, [...terms.own, ...terms.members]);
      // Nothing was said yet: no reason to ask a model.
      const similar = index.minutes.length > 0 ? await dense?.similarities(sessionId, query) : null;
      if (index.terms.length === 0 && !similar?.cosines.length) return [];
      const breathe = breathing(index.minutes.length);
      const question = readQuestion(query, terms, index, now, constants);
      const scorer = new TurnScorer(index, question, constants);
      try {
        await breathe();
        scorer.add(index.terms, question.terms);
        if (similar?.cosines.length) scorer.addMeaning(likenessOf(similar, index), question.terms);
        await breathe();
        const total = scorer.totals();
        await breathe();
        const allowed = within(index, timeRange);
        const places =
          mostAlike === undefined
            ? bestPlaces(total, limit, allowed)
            : await bestUnlikePlaces(total, limit, allowed, (place) => {
                const own = scorer.ownScore(place);
                // The same for turns of the same words, and seldom for others; without a word of the question it says little.
                const kind = `${String(own)} ${String(index.lengths[place] ?? 0)}`;
                return { kind, most: own > 0 ? mostAlike : Math.ceil(limit / 2) };
              });
        return places.map((place) => ({
          ...positionOf(index, place),
          score: total[place] ?? 0,
          length: index.lengths[place] ?? 0,
          lengthAround: sumOf(index.lengths, place - AROUND, place + AROUND),
          parts: scorer.explain(place),
        }));
      } finally {
        scorer.release();
      }
    },
  };
}

/** Sessions of more turns than this are scored in steps, with a turn of the event loop for others in between. */
const SCORED_AT_ONCE = 20_000;

/** How far around a turn others are looked for, to show them with it. */
export const AROUND = 4;

function sumOf(lengths: Int32Array, first: number, last: number): number {
  let sum = 0;
  for (let place = Math.max(0, first); place <= last; place += 1) sum += lengths[place] ?? 0;
  return sum;
}

function breathing(turnCount: number): () => Promise<void> {
  if (turnCount <= SCORED_AT_ONCE) return () => Promise.resolve();
  return () => new Promise((resolve) => setImmediate(resolve));
}

function positionOf(
  { conversations, starts }: Pick<IndexLookup, 'conversations' | 'starts'>,
  place: number,
): { conversationOrdinal: number; turnNumber: number } {
  let [low, high] = [0, starts.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] ?? 0) <= place) low = middle;
    else high = middle - 1;
  }
  return { conversationOrdinal: conversations[low] ?? 0, turnNumber: place - (starts[low] ?? 0) + 1 };
}

function within(
  { minutes }: Pick<IndexLookup, 'minutes'>,
  timeRange: { from?: number; to?: number } | null | undefined,
): (place: number) => boolean {
  if (!timeRange) return () => true;
  const from = Math.floor((timeRange.from ?? -Infinity) / 60_000);
  const to = Math.floor((timeRange.to ?? Infinity) / 60_000);
  return (place) => {
    const minute = minutes[place] ?? 0;
    return minute >= from && minute <= to;
  };
}
