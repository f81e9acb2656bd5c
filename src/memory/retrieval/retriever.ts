import type { MemoryDAL } from '../../store/memory-dal.ts';
import type { IndexLookup, TermPostings } from '../../store/turn-index.ts';
import { chooseFeedback, feedbackCandidates, mostFeedbackEntries } from './feedback.ts';
import { questionTerms, readQuestion, type WeightedTerm } from './question.ts';
import { RANKING, type RankingConstants } from './ranking-constants.ts';
import { bestPlaces } from './best-places.ts';
import { TurnScorer, type ScoreParts } from './turn-scorer.ts';

/** A turn that bears on a question, by its place in the session. */
export interface FoundTurn {
  conversationOrdinal: number;
  turnNumber: number;
  score: number;
  /** What the score was made of. */
  parts: ScoreParts;
}

export interface Retriever {
  /** Best first. Empty when none of the question's words occurs in the session. */
  retrieve(input: {
    sessionId: string;
    query: string;
    limit: number;
    /** Now, for dates such as "last week", in milliseconds since the epoch. */
    now: number;
    /** Only turns said from `from` on and not after `to`, to the minute. */
    timeRange?: { from?: number; to?: number } | null;
  }): Promise<FoundTurn[]>;
}

/**
 * Finds turns by their words, with no model. Two rounds: the question's own words, then again with words that the best
 * turns of the first round share.
 */
export function createRetriever({
  dal,
  constants = RANKING,
}: {
  dal: Pick<MemoryDAL, 'index' | 'turns'>;
  constants?: RankingConstants;
}): Retriever {
  return {
    async retrieve({ sessionId, query, limit, now, timeRange }) {
      const wanted = questionTerms(query);
      if (wanted.length === 0 || limit <= 0) return [];
      const index = await dal.index.lookup(sessionId, wanted);
      if (index.terms.length === 0) return [];
      const question = readQuestion(query, index, now, constants.askingWord);
      const allowed = within(index, timeRange);
      const breathe = breathing(index.minutes.length);
      const scorer = new TurnScorer(index, question, constants);
      await breathe();
      scorer.add(index.terms, question.terms);
      await breathe();
      const first = scorer.totals();
      await breathe();

      const basis = bestPlaces(first, constants.feedbackTurns, allowed);
      const more = await feedback(index, first, basis, sessionId, wanted);
      scorer.add(more.found, more.chosen);
      await breathe();
      const total = more.chosen.length === 0 ? first : scorer.totals();
      await breathe();
      return bestPlaces(total, limit, allowed).map((place) => ({
        ...positionOf(index, place),
        score: total[place] ?? 0,
        parts: scorer.explain(place),
      }));
    },
  };

  async function feedback(
    index: IndexLookup,
    total: Float64Array,
    basis: readonly number[],
    sessionId: string,
    wanted: readonly string[],
  ): Promise<{ found: TermPostings[]; chosen: WeightedTerm[] }> {
    if (constants.feedback === 0 || basis.length === 0) return { found: [], chosen: [] };
    const turns = await dal.turns.byPosition(
      sessionId,
      basis.map((place) => positionOf(index, place)),
    );
    const known = new Set([...wanted, ...index.speakerNames.flatMap(questionTerms)]);
    const candidates = feedbackCandidates(
      turns.flatMap((turn, at) => (turn ? [{ text: turn.content, score: total[basis[at] ?? 0] ?? 0 }] : [])),
      known,
    );
    const found = await dal.index.postings(
      sessionId,
      candidates.map(({ term }) => term),
      { conversations: index.conversations, starts: index.starts, turnCount: index.minutes.length },
      mostFeedbackEntries(index.minutes.length),
    );
    const chosen = chooseFeedback(candidates, found, index.minutes.length, {
      limit: constants.feedbackTerms,
      weight: constants.feedback,
    });
    return { found, chosen };
  }
}

/** Sessions of more turns than this are scored in steps, with a turn of the event loop for others in between. */
const SCORED_AT_ONCE = 20_000;

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
