import { analyse, analyseQuery } from '../../text/analyse.ts';
import { isOwnWord, type Passage } from './passages.ts';
import { plain, sentences } from './words.ts';

export interface Ranked {
  passage: Passage;
  /** Place in the prompt. */
  at: number;
  score: number;
  /** Which share of what the question asks for is in it, from 0 to 1, rare words counting more. */
  coverage: number;
}

/** How much the length of a passage counts against it, as in BM25 but mildly: a prompt is short. */
const LENGTH = 0.15;
/** A question answers nothing, and what follows it often does. */
const QUESTION_WEIGHT = 0.5;
const AFTER_QUESTION = 0.5;
/** Words of a model are second hand. */
const OWN_WORD_WEIGHT = 0.5;
const INSTRUCTIONS_WEIGHT = 0.6;
/** Characters at the end of a passage in which its last sentence's mark is looked for. */
const ENDING = 400;
/** A summary is second hand too, though a good one. */
const SUMMARY_WEIGHT = 0.9;
/** That somebody spoke is not what was said: a passage that shares only its speaker's name counts for little. */
const SPEAKER_ONLY = 0.25;

/**
 * The passages that share words with a question, best first: stems weighted by how rare they are in this prompt.
 * Deterministic: equal scores keep the prompt's order.
 */
export function rank(passages: readonly Passage[], question: string): Ranked[] {
  const asked = analyseQuery(question);
  const terms = passages.map(termsOf);
  const usual = passages.reduce((sum, { text }) => sum + text.length, 0) / Math.max(1, passages.length);
  const weights = new Map(asked.map((term) => [term, weight(term, terms)]));
  const total = [...weights.values()].reduce((sum, value) => sum + value, 0);
  if (total === 0) return [];
  const direct = terms.map((own) => {
    const sum = (of: ReadonlySet<string>) =>
      asked.reduce((total, term) => total + (of.has(term) ? (weights.get(term) ?? 0) : 0), 0);
    const inText = sum(own.text);
    return inText === 0 ? sum(own.speaker) * SPEAKER_ONLY : sum(own.all);
  });
  return passages
    .map((passage, at): Ranked => {
      const before = passages[at - 1];
      const lent =
        before && asksBack(before) && !asksBack(passage) ? (direct[at - 1] ?? 0) * AFTER_QUESTION : 0;
      const held = ((direct[at] ?? 0) + lent) * trust(passage);
      // Of two that say as much, the one that says it in fewer words.
      const dense = held / (1 - LENGTH + LENGTH * (passage.text.length / usual));
      return { passage, at, score: dense, coverage: held / total };
    })
    .filter(({ score, passage }) => score > 0 && !isEmptyTalk(passage))
    .sort((a, b) => b.score - a.score || a.at - b.at);
}

/** Whether a text mentions something: all its telling words, by stem. */
export function mentions(text: string, what: string): boolean {
  const there = new Set(analyse(text).terms.map(([term]) => term));
  const wanted = analyseQuery(what);
  return wanted.length > 0 && wanted.every((term) => there.has(term));
}

/** Telling words, by stem, that two texts share. */
export function sharedTerms(text: string, other: string): number {
  const there = new Set(analyse(text).terms.map(([term]) => term));
  return analyseQuery(other).filter((term) => there.has(term)).length;
}

/** Passages beyond this many are not quoted anyway, and each is compared with all. */
const MOST_COMPARED = 500;

/** Of passages that say the same, or of which one holds the other, the first that is a person's own word. */
export function withoutEchoes(ranked: readonly Ranked[]): Ranked[] {
  const kept: { item: Ranked; text: string }[] = [];
  const firstHand = ranked
    .slice(0, MOST_COMPARED)
    .sort((a, b) => Number(isOwnWord(a.passage)) - Number(isOwnWord(b.passage)));
  for (const item of firstHand) {
    const text = plain(item.passage.text);
    if (
      kept.some(
        (other) => other.text.includes(text) || (isOwnWord(item.passage) && text.includes(other.text)),
      )
    )
      continue;
    kept.push({ item, text });
  }
  const chosen = new Set(kept.map(({ item }) => item));
  return ranked.filter((item) => chosen.has(item));
}

interface Terms {
  text: ReadonlySet<string>;
  speaker: ReadonlySet<string>;
  all: ReadonlySet<string>;
}

function termsOf({ text, speaker }: Passage): Terms {
  const [inText, inName] = [text, speaker ?? ''].map(
    (part) => new Set(analyse(part).terms.map(([term]) => term)),
  );
  const [textTerms, speakerTerms] = [inText ?? new Set<string>(), inName ?? new Set<string>()];
  return { text: textTerms, speaker: speakerTerms, all: new Set([...textTerms, ...speakerTerms]) };
}

/**
 * Inverse document frequency, smoothed so that a word in every passage still counts. A word that nobody has said cannot
 * tell one passage from another: it counts as little as one that everybody says.
 */
function weight(term: string, passages: readonly Terms[]): number {
  const holding = passages.filter(({ all }) => all.has(term)).length;
  return holding === 0 ? 1 : 1 + Math.log((passages.length + 1) / (holding + 1));
}

const REQUEST =
  /^(?:please\s+)?(?:give|list|name|tell|explain|describe|summari[sz]e|suggest|compare|recommend|propose|outline)\b/i;

/** Whether it asks and tells nothing: it ends with a question (a note of what was shown with it aside), or is an order. */
export function asksBack({ text }: Passage): boolean {
  const ending = text
    .slice(-ENDING)
    .replace(/\s*\[[^\]]*\]\s*$/, '')
    .trimEnd();
  return (
    ending.endsWith('?') || (text.length <= ENDING && sentences(text).every((part) => REQUEST.test(part)))
  );
}

function trust(passage: Passage): number {
  const source =
    passage.source === 'instructions'
      ? INSTRUCTIONS_WEIGHT
      : passage.source === 'summary'
        ? SUMMARY_WEIGHT
        : 1;
  return source * (asksBack(passage) ? QUESTION_WEIGHT : 1) * (isOwnWord(passage) ? OWN_WORD_WEIGHT : 1);
}

/** What this model said itself when it had nothing to say, and its guidance, which only repeats what was asked. */
function isEmptyTalk(passage: Passage): boolean {
  return (
    isOwnWord(passage) &&
    /^(?:I find (?:nothing|only)|Noted:|The person (?:asks|tells):)/.test(passage.text.trim())
  );
}
