import { createRequire } from 'node:module';
import { breathing } from './breathing.ts';
import { remembered } from './remembered.ts';

/**
 * Longest run without white space that the tokenizer is given at once. Byte-pair merging is quadratic in such a run
 * (100,000 times the same letter took six seconds); words of real languages are far shorter, so cutting here changes
 * no ordinary count. Beyond ASCII a character is up to four bytes, and a run is cut sooner: scripts without spaces
 * count a token more for every 64 characters at most.
 */
const LONGEST_RUN = 256;
const LONGEST_RUN_BEYOND_ASCII = 64;
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
}

let encoding: Encoding | null = null;

/**
 * Loaded on first use, once: 80 ms and 43 MB. A server does it before it listens (`warmUpTexts`), scripts that count
 * nothing never. (o200k_base: 160 ms and 72 MB. For English the two agree within a percent; for other scripts
 * cl100k_base counts up to a quarter more, so a budget counted with it is never overrun by a newer model.)
 */
function loadEncoding(): Encoding {
  encoding ??= createRequire(import.meta.url)('gpt-tokenizer/encoding/cl100k_base') as Encoding;
  return encoding;
}

const NO_SPECIAL = { allowedSpecial: new Set<string>(), disallowedSpecial: new Set<string>() };

/**
 * Number of tokens of a text in OpenAI's cl100k_base encoding. Other models count differently by some percent; a
 * budget needs one measure that does not change with the model. Text that looks like a special token is plain text.
 */
export function countTokens(text: string): number {
  if (text === '') return 0;
  if (text.length <= PIECE) return countLines(text);
  let total = 0;
  for (const piece of pieces(text)) total += countPiece(piece);
  return total;
}

/**
 * The encoding splits a text before it merges, and after a line break always where the next line does not begin blank.
 * Lines can therefore be counted one by one, and add up to the whole.
 */
function countLines(text: string): number {
  let total = 0;
  for (let from = 0; from < text.length;) {
    const next = nextLine(text, from);
    // Its end is a token of its own, with the break or without: a line is the same in a text and by itself.
    const end = endOfLine(text, from, next);
    if (end > from) total += countOnce(text.slice(from, end));
    if (end < next) total += countOnce(text.slice(end, next));
    from = next;
  }
  return total;
}

/** Where the line ends that begins at `from`, its breaks included: before the first one that does not begin blank. */
function nextLine(text: string, from: number): number {
  for (let at = text.indexOf('\n', from); at !== -1; at = text.indexOf('\n', at + 1)) {
    if (at + 1 < text.length && !isBlank(text, at + 1)) return at + 1;
  }
  return text.length;
}

/**
 * Where the end of a line begins that is counted by itself: its last breaks, and the punctuation before them, which takes
 * the space before it and the breaks behind it along. Such an end follows a letter or a digit; else there is none.
 */
function endOfLine(text: string, from: number, to: number): number {
  let end = to;
  while (end > from && text[end - 1] === '\n') end -= 1;
  let start = end;
  while (start > from && isMark(text, start - 1)) start -= 1;
  if (start < end && text[start - 1] === ' ') start -= 1;
  return start > from && isWordPart(text, start - 1) ? start : to;
}

function isBlank(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code < ASCII ? code === 32 || (code >= 9 && code <= 13) : /\s/u.test(text[at] ?? '');
}

/** A letter or a digit; of a pair of surrogates the second half stands for it. */
function isWordPart(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  if (code >= ASCII) return /[\p{L}\p{N}]/u.test(characterAt(text, at));
  return (code >= 48 && code <= 57) || (code >= 97 && code <= 122) || (code >= 65 && code <= 90);
}

const isMark = (text: string, at: number) => !isBlank(text, at) && !isWordPart(text, at);

function characterAt(text: string, at: number): string {
  const isSecondHalf = (text.charCodeAt(at) & 0xfc00) === 0xdc00;
  return text.slice(isSecondHalf ? at - 1 : at, at + 1);
}

const ASCII = 128;

/** What is remembered of a session is quoted in one prompt after the other, and counting is most of what that costs. */
const countOnce = remembered((line) => {
  let tokens = 0;
  for (const piece of pieces(line)) tokens += countPiece(piece);
  return tokens;
});

function countPiece(piece: string): number {
  return loadEncoding().countTokens(piece, NO_SPECIAL);
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
