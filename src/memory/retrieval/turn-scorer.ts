import { REMOVED, type IndexLookup, type TermPostings } from '../../store/turn-index.ts';
import { TRAIT } from '../../text/term-counts.ts';
import { nearness } from './dates.ts';
import { findEpisodes } from './episodes.ts';
import type { Question, WeightedTerm } from './question.ts';
import type { RankingConstants } from './ranking-constants.ts';
import { giveBack, takeRoom, type WorkingRoom } from './working-room.ts';

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
  readonly #count: number;
  /** BM25 of each turn's own words (`own`), the same with what its neighbours lend it (`near`), and by episode how much of
   * the question it speaks of (`told`). */
  readonly #room: WorkingRoom;
  readonly #averageLength: number;
  readonly #logAverage: number;
  /** What a turn's score is multiplied by, by its traits. */
  readonly #kinds: Float64Array;
  /** The code of the speaker who is named; null when there is none, or more than one. */
  readonly #named: number | null;
  /** The inverse document frequencies of all terms, summed: the weight of the whole question. */
  #weight = 0;
  /** Likeness of meaning by place, from 0 to 1, and what it is worth; null without a model. */
  #dense: { likeness: Float64Array; worth: number } | null = null;

  constructor(index: IndexLookup, question: Question, constants: RankingConstants) {
    this.#index = index;
    this.#question = question;
    this.#constants = constants;
    this.#count = index.minutes.length;
    this.#room = takeRoom(this.#count);
    findEpisodes(index, this.#room.episodes);
    this.#kinds = kindFactors(question, constants);
    // When two are named, what matters is what passed between them, whoever said it.
    this.#named = question.speakers.size === 1 ? ([...question.speakers][0] ?? null) : null;
    const { minutes, lengths } = index;
    let length = 0;
    let turns = 0;
    for (let place = 0; place < this.#count; place += 1) {
      if (minutes[place] === REMOVED) continue;
      length += lengths[place] ?? 0;
      turns += 1;
    }
    this.#averageLength = Math.max(1, length / Math.max(1, turns));
    this.#logAverage = Math.log(1 + this.#averageLength);
  }

  /** Ends its work: what it has given is not to be used any more. */
  release(): void {
    giveBack(this.#room);
  }

  /** Adds the entries of those found terms that are wanted. */
  add(found: readonly TermPostings[], wanted: readonly WeightedTerm[]): void {
    const weights = new Map(wanted.map(({ term, weight }) => [term, weight]));
    for (const postings of found) {
      const weight = weights.get(postings.term);
      if (weight === undefined) continue;
      const idf = weight * inverseFrequency(this.#count, postings.places.length);
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
    const unknown = inverseFrequency(this.#count, 0);
    const weight = missed.reduce((sum, term) => sum + term.weight * unknown, this.#weight);
    this.#dense = { likeness, worth: this.#constants.dense * Math.max(weight, unknown) };
  }

  #addWords({ places, counts }: TermPostings, idf: number): void {
    const { k1, b, neighbours, answersQuestion } = this.#constants;
    const { lengths, traits } = this.#index;
    const { own, near, best, touched, episodes } = this.#room;
    const averageLength = this.#averageLength;
    const reach = neighbours.length;
    let touches = 0;
    for (let i = 0; i < places.length; i += 1) {
      const place = places[i] ?? 0;
      const tf = counts[i] ?? 0;
      const weighed = (tf * (k1 + 1)) / (tf + k1 * (1 - b + (b * (lengths[place] ?? 0)) / averageLength));
      own[place] = (own[place] ?? 0) + idf * weighed;
      const asks = ((traits[place] ?? 0) & TRAIT.asks) !== 0;
      // Of several neighbours with the same word only the best lends: two mentions are not twice the evidence.
      const last = Math.min(this.#count - 1, place + reach);
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
    const { told, episodes } = this.#room;
    for (let i = 0; i < places.length;) {
      const episode = episodes[places[i] ?? 0] ?? 0;
      let turns = 0;
      while (i < places.length && episodes[places[i] ?? 0] === episode) {
        turns += 1;
        i += 1;
      }
      told[episode] = (told[episode] ?? 0) + (idf * turns) / (turns + 1);
    }
  }

  /**
   * The score of every turn, by place. Zero for what is said neither there nor nearby nor in the same episode. Holds until
   * `release`.
   */
  totals(): Float64Array {
    const { near, told, episodes, total } = this.#room;
    const { minutes } = this.#index;
    const { episode } = this.#constants;
    for (let place = 0; place < this.#count; place += 1) {
      const lexical = (near[place] ?? 0) + episode * (told[episodes[place] ?? 0] ?? 0);
      const dense = this.#denseOf(place);
      if ((lexical === 0 && dense === 0) || minutes[place] === REMOVED) continue;
      const base = lexical + dense + this.#weight * this.#priorOf(place);
      if (base > 0) total[place] = base * this.#kindOf(place) * this.#speakerOf(place) * this.#dateOf(place);
    }
    return total.subarray(0, this.#count);
  }

  /** The parts of one turn's score. */
  explain(place: number): ScoreParts {
    const [own, near] = [this.#room.own[place] ?? 0, this.#room.near[place] ?? 0];
    const conversation = this.#conversationOf(place);
    const prior = this.#weight * this.#priorOf(place);
    const dense = this.#denseOf(place);
    const base = near + conversation + dense + prior;
    const kind = base * this.#kindOf(place);
    const speaker = kind * this.#speakerOf(place);
    const parts: ScoreParts = {
      bm25: own,
      neighbours: near - own,
      conversation,
      prior,
      kind: kind - base,
      speaker: speaker - kind,
      date: speaker * this.#dateOf(place) - speaker,
    };
    if (this.#dense) parts.dense = dense;
    return parts;
  }

  /** What the turn's own words score; 0 for one that has no word of the question. */
  ownScore(place: number): number {
    return this.#room.own[place] ?? 0;
  }

  #denseOf(place: number): number {
    return this.#dense ? this.#dense.worth * (this.#dense.likeness[place] ?? 0) : 0;
  }

  #conversationOf(place: number): number {
    const { told, episodes } = this.#room;
    return this.#constants.episode * (told[episodes[place] ?? 0] ?? 0);
  }

  /** As a share of the question's whole weight. */
  #priorOf(place: number): number {
    const { start, length } = this.#constants;
    const share = this.#named !== null && this.#index.speakers[place] !== this.#named ? 0.5 : 1;
    const turnLength = this.#index.lengths[place] ?? 0;
    const longer = (LOGARITHMS[1 + turnLength] ?? Math.log(1 + turnLength)) - this.#logAverage;
    return start * share + length * longer;
  }

  #kindOf(place: number): number {
    return this.#kinds[(this.#index.traits[place] ?? 0) & KNOWN_TRAITS] ?? 1;
  }

  #speakerOf(place: number): number {
    return this.#named !== null && this.#index.speakers[place] === this.#named ? this.#constants.speaker : 1;
  }

  #dateOf(place: number): number {
    if (this.#question.spans.length === 0) return 1;
    return 1 + this.#constants.date * nearness(this.#index.minutes[place] ?? 0, this.#question.spans);
  }
}

const KNOWN_TRAITS = TRAIT.asks | TRAIT.tellsTime | TRAIT.tellsNumber;

/** For each combination of traits what it makes of a score, whether it asks or tells what the question wants. */
function kindFactors(
  { asksForTime, asksForNumber }: Question,
  { asks, time, number }: RankingConstants,
): Float64Array {
  return Float64Array.from({ length: KNOWN_TRAITS + 1 }, (_, traits) => {
    let factor = (traits & TRAIT.asks) !== 0 ? asks : 1;
    if (asksForTime && (traits & TRAIT.tellsTime) !== 0) factor *= time;
    if (asksForNumber && (traits & TRAIT.tellsNumber) !== 0) factor *= number;
    return factor;
  });
}

/** BM25's inverse document frequency in the form that is never negative. */
export function inverseFrequency(turns: number, turnsWithTerm: number): number {
  return Math.log(1 + (turns - turnsWithTerm + 0.5) / (turnsWithTerm + 0.5));
}
