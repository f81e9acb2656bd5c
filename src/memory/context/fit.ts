import { countTokens, countTokensInSteps, truncateToTokensInSteps } from '../../text/tokens.ts';

/** What is put behind a text that was cut. */
export const CUT_MARK = ' […]';

/**
 * Characters looked at for each token of room. Ordinary text has about four; one with more than sixteen is blank or
 * repeats itself, and a text of megabytes must not hold up the event loop before it is cut.
 */
const CHARACTERS_A_TOKEN = 16;

const counted = new Map<string, number>();

/** Tokens of one of our own phrases, counted once: counting is most of what a context costs. */
export function phraseTokens(phrase: string): number {
  let tokens = counted.get(phrase);
  if (tokens === undefined) counted.set(phrase, (tokens = countTokens(phrase)));
  return tokens;
}

/** The beginning of a text that could be of use where there is room for so many tokens. */
export function beginning(text: string, tokens: number): string {
  return text.slice(0, Math.max(0, tokens) * CHARACTERS_A_TOKEN);
}

/** Tokens of a line with the break behind it. Lines that do not begin blank add up: the encoding splits a text before each. */
export function lineTokens(line: string): number {
  return countTokens(`${line}\n`);
}

/**
 * The text and its tokens with the break behind it; or, where it has more than there is room for, its beginning with a mark.
 * Empty: no room. In steps: a large budget takes a large text.
 */
export async function fit(
  text: string,
  tokens: number,
  isBeginning = false,
): Promise<{ text: string; tokens: number }> {
  const start = beginning(text, tokens);
  const whole = !isBeginning && start.length === text.length;
  if (whole) {
    const count = await countTokensInSteps(`${text}\n`);
    if (count <= tokens) return { text, tokens: count };
  }
  // The mark may melt with the end of the text into other tokens than the two have alone.
  for (let room = tokens - phraseTokens(`${CUT_MARK}\n`); room > 0;) {
    const cut = (await truncateToTokensInSteps(start, room)).trimEnd() + CUT_MARK;
    if (cut === CUT_MARK) break;
    const count = await countTokensInSteps(`${cut}\n`);
    if (count <= tokens) return { text: cut, tokens: count };
    room -= count - tokens;
  }
  return { text: '', tokens: 0 };
}

/** The end of a line that may melt with a break behind it, in characters. */
const LONGEST_END = 256;

/** Tokens that a second break behind a line adds to it: the words before its last are not touched by it. */
export function breakTokens(line: string): number {
  const end = line.slice(Math.max(0, line.lastIndexOf(' ')));
  if (end.length > LONGEST_END) return 1;
  return countTokens(`${end}\n\n`) - lineTokens(end);
}
