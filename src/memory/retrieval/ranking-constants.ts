/**
 * The constants of ranking: one set for every session and every kind of question. Each is a round number on a flat
 * part of its curve, chosen on LoCoMo with each conversation left out in turn; docs/benchmarks.md tells what each is
 * for and what happens without it.
 */
export interface RankingConstants {
  /** BM25: how soon a repeated word stops adding, and how much a long turn's words are discounted. */
  k1: number;
  b: number;
  /** What a turn's neighbours one, two, three turns away lend it of a word's weight. */
  neighbours: readonly number[];
  /** What a question lends more to the turn that follows it: its answer seldom repeats its words. */
  answersQuestion: number;
  /** Weight of how much of the question the turn's episode as a whole speaks of. */
  episode: number;
  /** Weight of a word by which the question merely asks ("what kind of", "how many"). */
  askingWord: number;
  /** Weight of the name of one who speaks in the session, as a word: whoever is addressed often answers. */
  nameWord: number;
  /** Weight of a thing of a kind that the question names ("pets": dog, cat). */
  memberOfKind: number;
  /** A start for every turn, as a share of the question's whole weight; half of it when someone else was named. */
  start: number;
  /** What a longer turn has ahead of a shorter one, as a share of the question's whole weight for each e-fold. */
  length: number;
  /** The score is multiplied by these: when the one named speaker said it; when it ends with a question; */
  speaker: number;
  asks: number;
  /** when it names a time and the question asks for one; when it names a number and the question asks for one; */
  time: number;
  number: number;
  /** when it was said in the time that the question names (1 + this), or soon after (1 + half of this). */
  date: number;
  /** What full likeness in meaning counts, as a share of the question's whole weight, when there is an embedding model. */
  dense: number;
}

export const RANKING: RankingConstants = {
  k1: 1,
  b: 0.4,
  neighbours: [0.6, 0.4, 0.2],
  answersQuestion: 0.25,
  episode: 0.3,
  askingWord: 0.5,
  nameWord: 0.2,
  memberOfKind: 0.2,
  start: 0.05,
  length: 0.05,
  speaker: 1.3,
  asks: 0.85,
  time: 1.3,
  number: 1.3,
  date: 1,
  dense: 1,
};
