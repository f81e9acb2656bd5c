/** What a directive or a criterion asks for in a way that can be counted or looked up. */
export interface Demands {
  /** Number of points, reasons, steps … asked for. */
  points: number | null;
  maxWords: number | null;
  minWords: number | null;
  /** Texts that the answer has to contain. */
  mentions: string[];
  /** Texts that it must not contain. */
  avoids: string[];
}

const NUMBERS: Record<string, number> = {
  one: 1,
  two: 2,
  three: 3,
  four: 4,
  five: 5,
  six: 6,
  seven: 7,
  eight: 8,
  nine: 9,
  ten: 10,
};
const NUMBER = `(\\d{1,3}|${Object.keys(NUMBERS).join('|')})`;
const POINTS = new RegExp(
  `\\b${NUMBER}\\s+(?:\\p{L}+\\s+){0,2}?(?:points?|reasons?|items?|examples?|steps?|ideas?|tips?|bullets?|ways?|things?|facts?|questions?|options?)\\b`,
  'iu',
);
const AT_MOST = new RegExp(
  `\\b(?:at most|no more than|not more than|up to|under|fewer than|within)\\s+${NUMBER}\\s+words?\\b`,
  'iu',
);
const AT_LEAST = new RegExp(
  `\\b(?:at least|no fewer than|not less than|more than)\\s+${NUMBER}\\s+words?\\b`,
  'iu',
);
const OBJECT = `(?:["“'‘]([^"”'’]{1,80})["”'’]|([\\p{L}\\p{N}][\\p{L}\\p{N} _.@-]{0,60}?)(?=[.,;!?]|\\s+(?:and|or|in|at|with)\\b|$))`;
const MENTION = new RegExp(
  `\\b(?:mentions?|names?|includes?|contains?)\\s+(?:the\\s+(?:word|words|name)\\s+)?${OBJECT}`,
  'giu',
);
const AVOID = new RegExp(
  `\\b(?:do(?:es)? not|don't|must not|never|without)\\s+(?:mention(?:ing)?|us(?:e|ing)|contain(?:ing)?|nam(?:e|ing))\\s+(?:the\\s+(?:word|words|name)\\s+)?${OBJECT}`,
  'giu',
);

export function demandsOf(text: string): Demands {
  const avoids = objects(text, AVOID);
  return {
    points: numberIn(text, POINTS),
    maxWords: numberIn(text, AT_MOST),
    minWords: numberIn(text, AT_LEAST),
    mentions: objects(text.replaceAll(AVOID, ' '), MENTION),
    avoids,
  };
}

/** Points of a text: the entries of its list, or its sentences when it has none. */
export function countPoints(text: string): number {
  return text.split('\n').filter((line) => /^\s*(?:[-*•]|\d{1,3}[.)])\s+\S/u.test(line)).length;
}

export function countWords(text: string): number {
  return text.split(/\s+/u).filter((word) => /[\p{L}\p{N}]/u.test(word)).length;
}

export function contains(text: string, wanted: string): boolean {
  return text.toLowerCase().includes(wanted.toLowerCase());
}

function objects(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map(([, exact, loose]) => (exact ?? loose ?? '').trim()).filter(Boolean);
}

function numberIn(text: string, pattern: RegExp): number | null {
  const [, number] = pattern.exec(text) ?? [];
  if (number === undefined) return null;
  return NUMBERS[number.toLowerCase()] ?? Number(number);
}
