/**
 * The lexical index over the turns of one session. Index rows are written by the stores that write turns, in the
 * same transaction; this is the reading side, and the ranking itself is `src/memory/retrieval`.
 * Packed arrays, because a common word of a long session has tens of thousands of entries and they cross a thread.
 */
export interface TurnIndex {
  /** What the session's turns are, and where these terms occur in them. Of a session that is not there: nothing. */
  lookup(sessionId: string, terms: string[]): Promise<IndexLookup>;
}

/**
 * A session's turns, numbered through: place 0 is turn 1 of the first conversation, and so on in the order of
 * conversation ordinal and turn number. All arrays over turns are indexed by place.
 */
export interface IndexLookup {
  /** Ordinals of the conversations that have turns, ascending, and the place of each one's first turn. */
  conversations: Int32Array;
  starts: Int32Array;
  /** When each turn was said, in minutes since the epoch, UTC; `REMOVED` where there is none any more. */
  minutes: Int32Array;
  /** Length of each turn in term occurrences. */
  lengths: Int32Array;
  /** Who said it: an index into `speakerNames`. */
  speakers: Uint16Array;
  /** What analysis saw in the text: the bits of `TermCounts.traits`. */
  traits: Uint16Array;
  /** The speaker's name where one was given, else the agent's. */
  speakerNames: string[];
  /** The terms that occur, in the order asked for. */
  terms: TermPostings[];
}

/** In place of a time: this turn is not kept any longer. Its place stays, so that the others keep theirs. */
export const REMOVED = -(2 ** 31);

/** Entry i: the term occurs `counts[i]` times in the turn at `places[i]`; ascending. */
export interface TermPostings {
  term: string;
  places: Int32Array;
  counts: Int32Array;
}
