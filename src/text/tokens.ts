import { createRequire } from 'node:module';
import { breathing } from './breathing.ts';
import { LONGEST_RUN, LONGEST_RUN_BEYOND_ASCII, wordCounter } from './word-tokens.ts';

/** Runs that are cut before they are merged (`word-tokens.ts`). */
const RUNS = new RegExp(
  `\\s{1,${String(LONGEST_RUN)}}|[!-~]{${String(LONGEST_RUN)}}|[!-~]+(?=\\s|$)|\\S{1,${String(LONGEST_RUN_BEYOND_ASCII)}}`,
  'gu',
);
/** What has none of these is not cut. Most texts: looking is far cheaper than taking them apart. */
const MAYBE_CUT = new RegExp(
  `\\S{${String(LONGEST_RUN_BEYOND_ASCII + 1)}}|\\s{${String(LONGEST_RUN + 1)}}`,
  'u',
);
/** Size of the pieces handed to the tokenizer, in characters. */
const PIECE = 8192;

interface Special {
  allowedSpecial: Set<string>;
  disallowedSpecial: Set<string>;
}
interface Encoding {
  countTokens(text: string, options: Special): number;
  encode(text: string, options: Special): number[];
  decode(tokens: number[]): string;
  setMergeCacheSize(size: number): void;
}

let encoding: Encoding | null = null;
let countWords: ((text: string) => number) | null = null;

/**
 * Loaded on first use, once: 80 ms and 43 MB. A server does it before it listens (`warmUpTexts`), scripts that count
 * nothing never. (o200k_base: 160 ms and 72 MB. For English the two agree within a percent; for other scripts
 * cl100k_base counts up to a quarter more, so a budget counted with it is never overrun by a newer model.)
 */
function loadEncoding(): Encoding {
  if (!encoding) {
    encoding = load('gpt-tokenizer/encoding/cl100k_base') as Encoding;
    // It would remember words as well, in the order of their last use: that costs more than it saves here.
    encoding.setMergeCacheSize(0);
  }
  return encoding;
}

const load = createRequire(import.meta.url);

function loadWordCounter(): (text: string) => number {
  if (!countWords) {
    const { countTokens: count } = loadEncoding();
    const { CL100K_TOKEN_SPLIT_REGEX: split } = load('gpt-tokenizer/encodingParams/constants') as {
      CL100K_TOKEN_SPLIT_REGEX?: unknown;
    };
    // Without it every text would have no tokens, and no budget would hold.
    if (!(split instanceof RegExp))
      throw new Error('gpt-tokenizer has no CL100K_TOKEN_SPLIT_REGEX any more.');
    countWords = wordCounter(split, (word) => count(word, NO_SPECIAL));
  }
  return countWords;
}

const NO_SPECIAL = { allowedSpecial: new Set<string>(), disallowedSpecial: new Set<string>() };

/**
 * Number of tokens of a text in OpenAI's cl100k_base encoding. Other models count differently by some percent; a
 * budget needs one measure that does not change with the model. Text that looks like a special token is plain text.
 */
export function countTokens(text: string): number {
  if (text.length <= PIECE) return loadWordCounter()(text);
  let total = 0;
  for (const piece of pieces(text)) total += loadWordCounter()(piece);
  return total;
}

/** The same for a text of any length, with the event loop free for others every few milliseconds. */
export async function countTokensInSteps(text: string): Promise<number> {
  if (text.length <= PIECE) return countTokens(text);
  const breathe = breathing();
  let total = 0;
  for (const piece of pieces(text)) {
    total += countTokens(piece);
    await breathe();
  }
  return total;
}

/** The beginning of the text that its first `limit` tokens make, in steps as well. */
export async function truncateToTokensInSteps(text: string, limit: number): Promise<string> {
  if (text.length <= PIECE) return truncateToTokens(text, limit);
  const breathe = breathing();
  let kept = '';
  let left = limit;
  for (const piece of pieces(text)) {
    const tokens = left <= 0 ? Infinity : countTokens(piece);
    if (tokens > left) return kept + truncateToTokens(piece, left);
    kept += piece;
    left -= tokens;
    await breathe();
  }
  return text;
}

/** The beginning of the text that its first `limit` tokens make, cut between characters. */
export function truncateToTokens(text: string, limit: number): string {
  if (limit <= 0) return '';
  let kept = '';
  let left = limit;
  for (const piece of pieces(text)) {
    const tokens = loadEncoding().encode(piece, NO_SPECIAL);
    if (tokens.length > left) return kept + beginning(piece, tokens, left);
    kept += piece;
    left -= tokens.length;
  }
  return text;
}

/** The text of the first tokens of a piece. A token may end inside a character, which is then left out. */
function beginning(piece: string, tokens: number[], limit: number): string {
  const { decode, countTokens: count } = loadEncoding();
  for (let length = limit; length > 0; length -= 1) {
    let text = decode(tokens.slice(0, length));
    while (!piece.startsWith(text)) text = text.slice(0, -1);
    // Never half of a surrogate pair, and never more tokens than asked for when the rest of a word is gone.
    text = text.replace(/[\uD800-\uDBFF]$/, '');
    if (count(text, NO_SPECIAL) <= limit) return text;
  }
  return '';
}

function* pieces(text: string): Generator<string> {
  if (text.length <= LONGEST_RUN_BEYOND_ASCII || (text.length <= PIECE && !MAYBE_CUT.test(text))) {
    yield text;
    return;
  }
  let piece = '';
  for (const match of text.matchAll(RUNS)) {
    const [run] = match;
    const blank = /^\s/u.test(run);
    // Cut before white space: a token of this encoding begins with the space before its word.
    if (piece.length >= PIECE && blank) {
      yield piece;
      piece = '';
    }
    piece += run;
    const next = text[match.index + run.length];
    const cutHere = next !== undefined && /^\s/u.test(next) === blank;
    if (piece.length >= 2 * PIECE || cutHere) {
      yield piece;
      piece = '';
    }
  }
  if (piece !== '') yield piece;
}
