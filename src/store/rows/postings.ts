import type { IndexLookup, TermPostings } from '../turn-index.ts';

/**
 * A row of `turn_terms` as one integer (conversation, turn, count in 20 + 25 + 8 bits, exact in a double): SQLite gives
 * 100,000 of them in 18 ms, as three columns in 65. A count beyond 255 adds nothing: BM25 has long been saturated.
 */
const TURN_SHIFT = 2 ** 8;
const CONVERSATION_SHIFT = 2 ** 33;

/** The SQL expression of that integer; `least` is what the engine calls the smaller of two values. */
export const packedPosting = (least: 'min' | 'least'): string =>
  `conversation_ordinal * ${String(CONVERSATION_SHIFT)} + turn_number * ${String(TURN_SHIFT)} + ${least}(count, ${String(TURN_SHIFT - 1)})`;

/** The same integer, of what is known already. */
export function packPosting(conversationOrdinal: number, turnNumber: number, count: number): number {
  return conversationOrdinal * CONVERSATION_SHIFT + turnNumber * TURN_SHIFT + Math.min(count, TURN_SHIFT - 1);
}

/** Where a term occurs, from its rows in order of conversation and turn. */
export function unpackPostings(
  term: string,
  rows: readonly number[],
  { conversations, starts }: Pick<IndexLookup, 'conversations' | 'starts'>,
): TermPostings {
  const places = new Int32Array(rows.length);
  const counts = new Int32Array(rows.length);
  let at = 0;
  rows.forEach((row, i) => {
    const conversation = Math.floor(row / CONVERSATION_SHIFT);
    const rest = row % CONVERSATION_SHIFT;
    while ((conversations[at] ?? conversation) < conversation) at += 1;
    places[i] = (starts[at] ?? 0) + Math.floor(rest / TURN_SHIFT) - 1;
    counts[i] = rest % TURN_SHIFT;
  });
  return { term, places, counts };
}

/** What is found of a session that is not there. */
export function nothingFound(): IndexLookup {
  return {
    conversations: new Int32Array(0),
    starts: new Int32Array(0),
    minutes: new Int32Array(0),
    lengths: new Int32Array(0),
    speakers: new Uint16Array(0),
    traits: new Uint16Array(0),
    speakerNames: [],
    terms: [],
  };
}
