/** Words of which it is remembered how many tokens they are, in each of two generations: some two megabytes. */
const MOST_WORDS = 20_000;

/**
 * Longest run without white space that is merged at once, in characters. Byte-pair merging is quadratic in such a run (100,000
 * times the same letter took six seconds); words of real languages are far shorter, so cutting here changes no ordinary
 * count. Beyond ASCII a character is up to four bytes, and a run is cut sooner: scripts without spaces count a token more
 * for every 64 characters at most.
 */
export const LONGEST_RUN = 256;
export const LONGEST_RUN_BEYOND_ASCII = 64;

/**
 * Counts the tokens of a text word by word, remembering those of each word: the encoding merges letters inside the pieces that
 * its own expression splits a text into, never across them, so their counts add up. A text has few words that no text
 * before it had.
 * @param split the expression of the encoding; global
 * @param count the tokens of one piece
 */
export function wordCounter(split: RegExp, count: (word: string) => number): (text: string) => number {
  let known = new Map<string, number>();
  let older = new Map<string, number>();
  const learn = (word: string): number => {
    if (word.length > LONGEST_RUN_BEYOND_ASCII) return inParts(word, count);
    const tokens = older.get(word) ?? count(word);
    if (known.size >= MOST_WORDS) {
      // What was not asked for since the last time is forgotten.
      older = known;
      known = new Map();
    }
    // A copy: the word is a view on a text, which it would keep.
    known.set(Buffer.from(word).toString(), tokens);
    return tokens;
  };
  return (text) => {
    let total = 0;
    for (const word of text.match(split) ?? []) total += known.get(word) ?? learn(word);
    return total;
  };
}

function inParts(word: string, count: (part: string) => number): number {
  const longest = /^[ -~]*$/.test(word) ? LONGEST_RUN : LONGEST_RUN_BEYOND_ASCII;
  let total = 0;
  for (let at = 0; at < word.length;) {
    let end = at + longest;
    // Never between the halves of a character.
    if ((word.charCodeAt(end - 1) & 0xfc00) === 0xd800) end += 1;
    total += count(word.slice(at, end));
    at = end;
  }
  return total;
}
