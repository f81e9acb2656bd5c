import { createRequire } from 'node:module';

/**
 * Longest run without white space that the tokenizer is given at once. Byte-pair merging is quadratic in such a run
 * (100,000 times the same letter took six seconds); words of real languages are far shorter, so cutting here changes
 * no ordinary count.
 */
const LONGEST_RUN = 256;
/** Size of the pieces handed to the tokenizer, in characters. */
const PIECE = 8192;

interface Encoding {
  countTokens(text: string, options: { allowedSpecial: Set<string>; disallowedSpecial: Set<string> }): number;
}

let encoding: Encoding | null = null;

/** Loaded on first use: the table takes a tenth of a second and 40 MB, which a server that only proxies never needs. */
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
  const { countTokens: count } = loadEncoding();
  let total = 0;
  for (const piece of pieces(text)) total += count(piece, NO_SPECIAL);
  return total;
}

/** The longest beginning of the text that has at most `limit` tokens, cut between characters. */
export function truncateToTokens(text: string, limit: number): string {
  if (limit <= 0) return '';
  if (countTokens(text) <= limit) return text;
  let low = 0;
  let high = text.length;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (countTokens(text.slice(0, middle)) <= limit) low = middle;
    else high = middle - 1;
  }
  // Never leave half of a surrogate pair behind.
  const last = text.charCodeAt(low - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? low - 1 : low);
}

function* pieces(text: string): Generator<string> {
  if (text.length <= LONGEST_RUN) {
    yield text;
    return;
  }
  const runs = new RegExp(`\\s{1,${String(LONGEST_RUN)}}|\\S{1,${String(LONGEST_RUN)}}`, 'gu');
  let piece = '';
  for (const [run] of text.matchAll(runs)) {
    // Cut before white space: a token of this encoding begins with the space before its word.
    if (piece.length >= PIECE && /^\s/u.test(run)) {
      yield piece;
      piece = '';
    }
    piece += run;
    if (piece.length >= 2 * PIECE || run.length === LONGEST_RUN) {
      yield piece;
      piece = '';
    }
  }
  if (piece !== '') yield piece;
}
