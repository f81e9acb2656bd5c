/** Sentences, words and clipping: what the rehearsal model needs of language. */

const segmenter = new Intl.Segmenter('en', { granularity: 'sentence' });

/** The sentences of a text, without the white space around them; a line end always ends one. */
export function sentences(text: string): string[] {
  return text
    .split(/\n+/)
    .flatMap((line) => [...segmenter.segment(line)].map(({ segment }) => segment.trim()))
    .filter((sentence) => /[\p{L}\p{N}]/u.test(sentence));
}

export function words(text: string): string[] {
  return text.match(/[\p{L}\p{N}\p{M}_'’\-@.+#]*[\p{L}\p{N}][\p{L}\p{N}\p{M}_'’\-@+#]*/gu) ?? [];
}

/** The first `limit` words with a mark when there are more. */
export function clipWords(text: string, limit: number): string {
  const parts = text.trim().split(/\s+/);
  return parts.length <= limit ? parts.join(' ') : `${parts.slice(0, Math.max(0, limit)).join(' ')} …`;
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
  eleven: 11,
  twelve: 12,
  fifteen: 15,
  twenty: 20,
};

/** A number in words or digits, for use inside a pattern. */
export const NUMBER = `(\\d{1,6}|${Object.keys(NUMBERS).join('|')})`;

export function numberOf(text: string): number {
  return NUMBERS[text.toLowerCase()] ?? Number.parseInt(text, 10);
}

/** Case, spaces and quotation marks aside: whether two texts say the same is asked of these. */
export function plain(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[“”„"'‘’«»…]/g, '')
    .replaceAll(/\s+/g, ' ')
    .trim();
}
