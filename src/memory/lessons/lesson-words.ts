import { createHash } from 'node:crypto';
import { analyseQuery } from '../../text/analyse.ts';

/** Longest parts, in characters: a lesson is a sentence or two. */
export const LONGEST_LESSON = { trigger: 300, text: 400 } as const;

/** Words that turn a sentence into its opposite. */
const NEGATION =
  /\b(?:not|never|no|none|nor|without|cannot|avoid|instead of|rather than|\w+n['’]t|nicht|nie|niemals|kein\w*|ohne|pas|jamais|sans|nunca|sin)\b/giu;

/** Words of which one says the opposite of the other; each pair is one word with two signs. */
const OPPOSITES: readonly (readonly [string, string])[] = [
  ['include', 'omit'],
  ['include', 'exclude'],
  ['add', 'remove'],
  ['keep', 'drop'],
  ['before', 'after'],
  ['more', 'less'],
  ['more', 'fewer'],
  ['long', 'short'],
  ['first', 'last'],
  ['ascending', 'descending'],
  ['uppercase', 'lowercase'],
  ['singular', 'plural'],
  ['metric', 'imperial'],
  ['round up', 'round down'],
  ['with', 'without'],
];

/** How much of the same words makes two lessons one, and how much makes them speak of one thing. */
const SAME = 0.75;
const SAME_THING = 0.6;

/** The words, tidy and no longer than they may be. */
export function squeezed(text: string, longest: number): string {
  return text.replaceAll(/\s+/gu, ' ').trim().slice(0, longest).trim();
}

/** By this two lessons are told to be the same. It is stored: it never changes. */
export function lessonHash(text: string): string {
  const plain = text
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
  return createHash('sha256').update(plain).digest('hex');
}

export function stemsOf(text: string): Set<string> {
  return new Set(analyseQuery(text));
}

/** What two sets share, of all that is in them. */
export function likeness(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  const shared = [...a].filter((each) => b.has(each)).length;
  const all = a.size + b.size - shared;
  return all === 0 ? 0 : shared / all;
}

/** What a lesson speaks of, and whether it is for or against it. */
interface Sense {
  stems: ReadonlySet<string>;
  /** 1, or −1 after an odd number of negations and opposites. */
  sign: 1 | -1;
}

function senseOf(text: string): Sense {
  let sign: 1 | -1 = 1;
  let plain = text.replaceAll(NEGATION, () => {
    sign = sign === 1 ? -1 : 1;
    return ' ';
  });
  plain = plain.replaceAll(/\balways\b/giu, ' ');
  for (const [one, other] of OPPOSITES) {
    plain = plain.replaceAll(new RegExp(`\\b${other}\\b`, 'giu'), () => {
      sign = sign === 1 ? -1 : 1;
      return one;
    });
  }
  return { stems: stemsOf(plain), sign };
}

/** Two texts that say the same in nearly the same words. Other figures say something else. */
export function sameLesson(a: string, b: string): boolean {
  const [one, other] = [senseOf(a), senseOf(b)];
  return one.sign === other.sign && figuresOf(a) === figuresOf(b) && likeness(one.stems, other.stems) >= SAME;
}

/** Whether neither negates the other and both have the same figures: without that, no likeness makes them one. */
export function sameSense(a: string, b: string): boolean {
  return senseOf(a).sign === senseOf(b).sign && figuresOf(a) === figuresOf(b);
}

/** Two lessons for the same work of which one says the opposite of the other: the same words, negated or turned round. */
export function contradicts(
  a: { trigger: string; text: string },
  b: { trigger: string; text: string },
): boolean {
  const [one, other] = [senseOf(a.text), senseOf(b.text)];
  if (one.sign === other.sign || likeness(one.stems, other.stems) < SAME_THING) return false;
  const [work, otherWork] = [stemsOf(a.trigger), stemsOf(b.trigger)];
  // One without a trigger is for all work.
  return work.size === 0 || otherWork.size === 0 || likeness(work, otherWork) >= SAME_THING;
}

function figuresOf(text: string): string {
  return (text.match(/\d+(?:[.,]\d+)*/gu) ?? []).sort().join(' ');
}
