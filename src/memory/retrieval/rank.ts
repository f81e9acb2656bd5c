import type { IndexLookup, TermPostings } from '../../store/turn-index.ts';
import { TRAIT } from '../../text/term-counts.ts';
import { nearness } from './dates.ts';
import type { Episodes } from './episodes.ts';
import type { Question, WeightedTerm } from './question.ts';
import type { RankingConstants } from './ranking-constants.ts';

/** What a turn's score was made of; the parts add up to it. */
export interface ScoreParts extends Record<string, number> {
  /** Its own words. */
  bm25: number;
  /** The words of the turns around it. */
  neighbours: number;
  /** What its episode as a whole speaks of. */
  conversation: number;
  /** Its start and its length. */
  prior: number;
  /** Whether it asks, tells a time or tells a number, as the question wants. */
  kind: number;
  speaker: number;
  date: number;
}

/** Scores of all turns, by place. */
export interface Scores {
  total: Float64Array;
  /** The parts of one turn's score. */
  explain(place: number): ScoreParts;
}

/**
 * How much each turn of a session bears on a question. Pure: all statistics are those of the session that was looked
 * up, and equal input gives equal scores. Time goes with the entries of the terms and the number of turns.
 */
export function scoreTurns(
  index: IndexLookup,
  episodes: Episodes,
  question: Question,
  terms: readonly { postings: TermPostings; weight: number }[],
  constants: RankingConstants,
): Scores {
  const words = scoreWords(index, episodes, terms, constants);
  const count = index.minutes.length;
  const total = new Float64Array(count);
  for (let place = 0; place < count; place += 1) {
    const base = baseOf(place);
    total[place] = base > 0 ? base * kindOf(place) * speakerOf(place) * dateOf(place) : 0;
  }
  return { total, explain };

  function conversationOf(place: number): number {
    return constants.episode * (words.episodes[episodes.of[place] ?? 0] ?? 0);
  }
  function priorOf(place: number): number {
    const start = question.speakers.size === 1 && speakerOf(place) === 1 ? 0.5 : 1;
    const longer = Math.log((1 + (index.lengths[place] ?? 0)) / (1 + words.averageLength));
    return words.weight * (constants.start * start + constants.length * longer);
  }
  function baseOf(place: number): number {
    const told = (words.near[place] ?? 0) + conversationOf(place);
    // What is said neither here nor nearby nor in the same episode is not an answer, whoever said it.
    return told > 0 ? told + priorOf(place) : 0;
  }
  function kindOf(place: number): number {
    const traits = index.traits[place] ?? 0;
    return (
      ((traits & TRAIT.asks) !== 0 ? constants.asks : 1) *
      (question.asksForTime && (traits & TRAIT.tellsTime) !== 0 ? constants.time : 1) *
      (question.asksForNumber && (traits & TRAIT.tellsNumber) !== 0 ? constants.number : 1)
    );
  }
  function speakerOf(place: number): number {
    // When two are named, what matters is what passed between them, whoever said it.
    return question.speakers.size === 1 && question.speakers.has(index.speakers[place] ?? -1)
      ? constants.speaker
      : 1;
  }
  function dateOf(place: number): number {
    if (question.spans.length === 0) return 1;
    return 1 + constants.date * nearness(index.minutes[place] ?? 0, question.spans);
  }
  function explain(place: number): ScoreParts {
    const [own, near] = [words.own[place] ?? 0, words.near[place] ?? 0];
    const base = baseOf(place);
    const kind = base * kindOf(place);
    const speaker = kind * speakerOf(place);
    return {
      bm25: own,
      neighbours: near - own,
      conversation: conversationOf(place),
      prior: priorOf(place),
      kind: kind - base,
      speaker: speaker - kind,
      date: (total[place] ?? 0) - speaker,
    };
  }
}

interface WordScores {
  /** BM25 of each turn's own words, and the same with what its neighbours lend it. */
  own: Float64Array;
  near: Float64Array;
  /** By episode. */
  episodes: Float64Array;
  /** The inverse document frequencies of all terms, summed. */
  weight: number;
  averageLength: number;
}

function scoreWords(
  { minutes, lengths, traits }: IndexLookup,
  episodes: Episodes,
  terms: readonly { postings: TermPostings; weight: number }[],
  { k1, b, neighbours, answersQuestion }: RankingConstants,
): WordScores {
  const count = minutes.length;
  const reach = neighbours.length;
  const scores: WordScores = {
    own: new Float64Array(count),
    near: new Float64Array(count),
    episodes: new Float64Array(episodes.starts.length),
    weight: 0,
    averageLength: lengths.reduce((sum, length) => sum + length, 0) / Math.max(1, count),
  };
  const best = new Float64Array(count);
  const touched = new Int32Array(count);
  const inEpisode = new Int32Array(episodes.starts.length);
  for (const { postings, weight } of terms) {
    const { places, counts } = postings;
    const idf = weight * inverseFrequency(count, places.length);
    scores.weight += idf;
    let touches = 0;
    for (let i = 0; i < places.length; i += 1) {
      const place = places[i] ?? 0;
      const tf = counts[i] ?? 0;
      const norm = k1 * (1 - b + (b * (lengths[place] ?? 0)) / scores.averageLength);
      const weighed = (tf * (k1 + 1)) / (tf + norm);
      scores.own[place] = (scores.own[place] ?? 0) + idf * weighed;
      const episode = episodes.of[place] ?? 0;
      inEpisode[episode] = (inEpisode[episode] ?? 0) + 1;
      const asks = ((traits[place] ?? 0) & TRAIT.asks) !== 0;
      // Of several neighbours with the same word only the best lends: two mentions are not twice the evidence.
      for (let step = -reach; step <= reach; step += 1) {
        const near = place + step;
        if (near < 0 || near >= count || episodes.of[near] !== episode) continue;
        let lent = step === 0 ? 1 : (neighbours[Math.abs(step) - 1] ?? 0);
        if (step === 1 && asks) lent += answersQuestion;
        const before = best[near] ?? 0;
        if (lent * weighed <= before) continue;
        if (before === 0) touched[touches++] = near;
        best[near] = lent * weighed;
      }
    }
    for (let i = 0; i < touches; i += 1) {
      const place = touched[i] ?? 0;
      scores.near[place] = (scores.near[place] ?? 0) + idf * (best[place] ?? 0);
      best[place] = 0;
    }
    for (const place of places) {
      const episode = episodes.of[place] ?? 0;
      const turns = inEpisode[episode] ?? 0;
      if (turns === 0) continue;
      scores.episodes[episode] = (scores.episodes[episode] ?? 0) + (idf * turns) / (turns + 1);
      inEpisode[episode] = 0;
    }
  }
  return scores;
}

/** BM25's inverse document frequency in the form that is never negative. */
export function inverseFrequency(turns: number, turnsWithTerm: number): number {
  return Math.log(1 + (turns - turnsWithTerm + 0.5) / (turnsWithTerm + 0.5));
}

/** The terms that were found, with the question's weights. */
export function weigh(
  found: readonly TermPostings[],
  wanted: readonly WeightedTerm[],
): { postings: TermPostings; weight: number }[] {
  const weights = new Map(wanted.map(({ term, weight }) => [term, weight]));
  return found.flatMap((postings) => {
    const weight = weights.get(postings.term);
    return weight === undefined ? [] : [{ postings, weight }];
  });
}

/** The places of the `limit` highest scores above zero, highest first; equal scores in the order of the session. */
export function bestPlaces(
  total: Float64Array,
  limit: number,
  allowed: (place: number) => boolean = () => true,
): number[] {
  // A heap of the best so far would do the same; a bounded sorted list is simpler and as fast for the usual limits.
  const best: number[] = [];
  const beats = (a: number, b: number) =>
    (total[a] ?? 0) > (total[b] ?? 0) || ((total[a] ?? 0) === (total[b] ?? 0) && a < b);
  for (let place = 0; place < total.length; place += 1) {
    if ((total[place] ?? 0) <= 0 || !allowed(place)) continue;
    const worst = best.at(-1);
    if (best.length >= limit && (worst === undefined || !beats(place, worst))) continue;
    let [low, high] = [0, best.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (beats(place, best[middle] ?? 0)) high = middle;
      else low = middle + 1;
    }
    best.splice(low, 0, place);
    if (best.length > limit) best.pop();
  }
  return best;
}
