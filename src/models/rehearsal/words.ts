/** Sentences, words and clipping: what the rehearsal model needs of language. */

const segmenter = new Intl.Segmenter('en', { granularity: 'sentence' });

/** The sentences of a text, without the white space around them; a line end always ends one. */
export function sentences(text: string): string[] {
  return text
    .split(/\n+/)
    .flatMap((line) => [...windows(line)])
    .flatMap((part) => [...segmenter.segment(part)].map(({ segment }) => segment.trim()))
    .filter((sentence) => /[\p{L}\p{N}]/u.test(sentence));
}

/** The segmenter's cost grows with the square of what it is given at once (8,000 sentences: 1.4 s). In characters. */
const WINDOW = 1_000;

/** The text in parts of about that length, cut where a sentence seems to end. */
function* windows(text: string): Generator<string> {
  let at = 0;
  while (text.length - at > WINDOW) {
    const end = /[.!?…。！？]\s+/g;
    end.lastIndex = at + WINDOW;
    const cut = end.exec(text) ? end.lastIndex : text.length;
    yield text.slice(at, cut);
    at = cut;
  }
  if (at < text.length) yield text.slice(at);
}

export function words(text: string): string[] {
  return (text.match(/[\p{L}\p{N}\p{M}_'’\-@.+#]+/gu) ?? []).filter((word) => /[\p{L}\p{N}]/u.test(word));
}

/** The first `limit` words with a mark when there are more. */
export function clipWords(text: string, limit: number): string {
  const parts = text.trim().split(/\s+/);
  return parts.length <= limit ? parts.join(' ') : `${parts.slice(0, Math.max(0, limit)).join(' ')} …`;
}

/** The last `limit` words with a mark when there are more. */
export function lastWords(text: string, limit: number): string {
  const parts = text.trim().split(/\s+/);
  return parts.length <= limit ? parts.join(' ') : `… ${parts.slice(-limit).join(' ')}`;
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
