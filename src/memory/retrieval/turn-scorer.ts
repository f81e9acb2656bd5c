import { REMOVED, type IndexLookup, type TermPostings } from '../../store/turn-index.ts';
import { TRAIT } from '../../text/term-counts.ts';
import { nearness } from './dates.ts';
import { findEpisodes, type Episodes } from './episodes.ts';
import type { Question, WeightedTerm } from './question.ts';
import type { RankingConstants } from './ranking-constants.ts';

/** Logarithms of the lengths that turns usually have: a long session asks for a hundred thousand of them. */
const LOGARITHMS = Float64Array.from({ length: 1024 }, (_, i) => Math.log(i));

/** What a turn's score was made of; the parts add up to it. */
export interface ScoreParts {
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
  /** Its meaning, by an embedding model; absent when none was asked. */
  dense?: number;
}

/**
 * How much each turn of a session bears on a question. Knows nothing but the session that was looked up: all
 * statistics are that session's, and equal input gives equal scores. Adding terms takes time in proportion to their
 * entries, `totals` in proportion to the session's turns.
 */
export class TurnScorer {
  readonly #index: IndexLookup;
  readonly #question: Question;
  readonly #constants: RankingConstants;
  readonly #episodes: Episodes;
  readonly #averageLength: number;
  readonly #logAverage: number;
  /** BM25 of each turn's own words, and the same with what its neighbours lend it. */
  readonly #own: Float64Array;
  readonly #near: Float64Array;
  /** How much of the question each episode speaks of. */
  readonly #told: Float64Array;
  /** The inverse document frequencies of all terms, summed: the weight of the whole question. */
  #weight = 0;
  /** Room to work in: the best lent so far to each turn, and which turns were lent anything. */
  readonly #best: Float64Array;
  readonly #touched: Int32Array;
  /** Likeness of meaning by place, from 0 to 1, and what it is worth; null without a model. */
  #dense: { likeness: Float64Array; worth: number } | null = null;

  constructor(index: IndexLookup, question: Question, constants: RankingConstants) {
    const count = index.minutes.length;
    this.#index = index;
    this.#question = question;
    this.#constants = constants;
    this.#episodes = findEpisodes(index);
    this.#own = new Float64Array(count);
    this.#near = new Float64Array(count);
    this.#best = new Float64Array(count);
    this.#touched = new Int32Array(count);
    this.#told = new Float64Array(this.#episodes.starts.length);
    let length = 0;
    let turns = 0;
    for (let place = 0; place < count; place += 1) {
      if (index.minutes[place] === REMOVED) continue;
      length += index.lengths[place] ?? 0;
      turns += 1;
    }
    this.#averageLength = Math.max(1, length / Math.max(1, turns));
    this.#logAverage = Math.log(1 + this.#averageLength);
  }

  /** Adds the entries of those found terms that are wanted. */
  add(found: readonly TermPostings[], wanted: readonly WeightedTerm[]): void {
    const weights = new Map(wanted.map(({ term, weight }) => [term, weight]));
    for (const postings of found) {
      const weight = weights.get(postings.term);
      if (weight === undefined) continue;
      const idf = weight * inverseFrequency(this.#near.length, postings.places.length);
      this.#weight += idf;
      this.#addWords(postings, idf);
      this.#addEpisodes(postings, idf);
    }
  }

  /**
   * Adds what an embedding model says. It is weighed against the whole question, the words that no turn holds included:
   * where the words fail, meaning counts for more.
   * @param likeness by place, from 0 to 1
   */
  addMeaning(likeness: Float64Array, wanted: readonly WeightedTerm[]): void {
    const found = new Set(this.#index.terms.map(({ term }) => term));
    const missed = wanted.filter(({ term }) => !found.has(term));
    const unknown = inverseFrequency(this.#near.length, 0);
    const weight = missed.reduce((sum, term) => sum + term.weight * unknown, this.#weight);
    this.#dense = { likeness, worth: this.#constants.dense * Math.max(weight, unknown) };
  }

  #addWords({ places, counts }: TermPostings, idf: number): void {
    const { k1, b, neighbours, answersQuestion } = this.#constants;
    const { lengths, traits } = this.#index;
    const episodes = this.#episodes.of;
    const [own, near, best, touched] = [this.#own, this.#near, this.#best, this.#touched];
    const reach = neighbours.length;
    let touches = 0;
    for (let i = 0; i < places.length; i += 1) {
      const place = places[i] ?? 0;
      const tf = counts[i] ?? 0;
      const weighed =
        (tf * (k1 + 1)) / (tf + k1 * (1 - b + (b * (lengths[place] ?? 0)) / this.#averageLength));
      own[place] = (own[place] ?? 0) + idf * weighed;
      const asks = ((traits[place] ?? 0) & TRAIT.asks) !== 0;
      // Of several neighbours with the same word only the best lends: two mentions are not twice the evidence.
      const last = Math.min(best.length - 1, place + reach);
      for (let beside = Math.max(0, place - reach); beside <= last; beside += 1) {
        if (episodes[beside] !== episodes[place]) continue;
        let lent = beside === place ? 1 : (neighbours[Math.abs(beside - place) - 1] ?? 0);
        if (asks && beside === place + 1) lent += answersQuestion;
        const before = best[beside] ?? 0;
        if (lent * weighed <= before) continue;
        if (before === 0) touched[touches++] = beside;
        best[beside] = lent * weighed;
      }
    }
    for (let i = 0; i < touches; i += 1) {
      const place = touched[i] ?? 0;
      near[place] = (near[place] ?? 0) + idf * (best[place] ?? 0);
      best[place] = 0;
    }
  }

  /** An episode that has the word in n of its turns speaks of it to n / (n + 1). */
  #addEpisodes({ places }: TermPostings, idf: number): void {
    const episodes = this.#episodes.of;
    for (let i = 0; i < places.length;) {
      const episode = episodes[places[i] ?? 0] ?? 0;
      let turns = 0;
      while (i < places.length && episodes[places[i] ?? 0] === episode) {
        turns += 1;
        i += 1;
      }
      this.#told[episode] = (this.#told[episode] ?? 0) + (idf * turns) / (turns + 1);
    }
  }

  /** The score of every turn, by place. Zero for what is said neither there nor nearby nor in the same episode. */
  totals(): Float64Array {
    const [near, told, episodes] = [this.#near, this.#told, this.#episodes.of];
    const total = new Float64Array(near.length);
    for (let place = 0; place < total.length; place += 1) {
      const lexical = (near[place] ?? 0) + this.#constants.episode * (told[episodes[place] ?? 0] ?? 0);
      const dense = this.#denseOf(place);
      if ((lexical === 0 && dense === 0) || this.#index.minutes[place] === REMOVED) continue;
      const base = lexical + dense + this.#weight * this.#priorOf(place);
      if (base > 0) total[place] = base * this.#kindOf(place) * this.#speakerOf(place) * this.#dateOf(place);
    }
    return total;
  }

  /** The parts of one turn's score. */
  explain(place: number): ScoreParts {
    const [own, near] = [this.#own[place] ?? 0, this.#near[place] ?? 0];
    const conversation = this.#conversationOf(place);
    const prior = this.#weight * this.#priorOf(place);
    const dense = this.#denseOf(place);
    const base = near + conversation + dense + prior;
    const kind = base * this.#kindOf(place);
    const speaker = kind * this.#speakerOf(place);
    return {
      bm25: own,
      neighbours: near - own,
      conversation,
      prior,
      kind: kind - base,
      speaker: speaker - kind,
      date: speaker * this.#dateOf(place) - speaker,
      ...(this.#dense ? { dense } : {}),
    };
  }

  #denseOf(place: number): number {
    return this.#dense ? this.#dense.worth * (this.#dense.likeness[place] ?? 0) : 0;
  }

  #conversationOf(place: number): number {
    return this.#constants.episode * (this.#told[this.#episodes.of[place] ?? 0] ?? 0);
  }

  /** As a share of the question's whole weight. */
  #priorOf(place: number): number {
    const { start, length } = this.#constants;
    const share = this.#question.speakers.size === 1 && !this.#isNamed(place) ? 0.5 : 1;
    const turnLength = this.#index.lengths[place] ?? 0;
    const longer = (LOGARITHMS[1 + turnLength] ?? Math.log(1 + turnLength)) - this.#logAverage;
    return start * share + length * longer;
  }

  #kindOf(place: number): number {
    const { asks, time, number } = this.#constants;
    const traits = this.#index.traits[place] ?? 0;
    let factor = (traits & TRAIT.asks) !== 0 ? asks : 1;
    if (this.#question.asksForTime && (traits & TRAIT.tellsTime) !== 0) factor *= time;
    if (this.#question.asksForNumber && (traits & TRAIT.tellsNumber) !== 0) factor *= number;
    return factor;
  }

  /** When two are named, what matters is what passed between them, whoever said it. */
  #speakerOf(place: number): number {
    return this.#question.speakers.size === 1 && this.#isNamed(place) ? this.#constants.speaker : 1;
  }

  #isNamed(place: number): boolean {
    return this.#question.speakers.has(this.#index.speakers[place] ?? -1);
  }

  #dateOf(place: number): number {
    if (this.#question.spans.length === 0) return 1;
    return 1 + this.#constants.date * nearness(this.#index.minutes[place] ?? 0, this.#question.spans);
  }
}

/** BM25's inverse document frequency in the form that is never negative. */
export function inverseFrequency(turns: number, turnsWithTerm: number): number {
  return Math.log(1 + (turns - turnsWithTerm + 0.5) / (turnsWithTerm + 0.5));
}
