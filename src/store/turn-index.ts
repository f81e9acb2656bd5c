/**
 * The lexical index over the turns of one session. Index rows are written by the stores that write turns, in the
 * same transaction; this is the reading side, and the ranking itself is `src/memory/retrieval`.
 * Packed arrays, because a common word of a long session has tens of thousands of entries and they cross a thread.
 */
export interface TurnIndex {
  /** Entries of each term in one session; terms that occur nowhere are absent. */
  lookup(sessionId: string, terms: string[]): Promise<IndexLookup>;
}

export interface IndexLookup {
  /** Turns in the session and their lengths summed: the N and average length of BM25. */
  turnCount: number;
  totalLength: number;
  terms: TermPostings[];
}

/** Entry i is turn `turnNumbers[i]` of conversation `conversations[i]` (its ordinal), sorted by both. */
export interface TermPostings {
  term: string;
  conversations: Int32Array;
  turnNumbers: Int32Array;
  counts: Int32Array;
  /** Length of the turn in term occurrences. */
  lengths: Int32Array;
}
