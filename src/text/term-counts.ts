/** What the lexical index keeps of a text. */
export interface TermCounts {
  /** Distinct terms with how often each occurs. */
  terms: [term: string, count: number][];
  /** Number of term occurrences: the document length of BM25. */
  length: number;
  /** Bits of `TRAIT`. */
  traits?: number;
  /** The version of the analyser that made them (`ANALYSER_VERSION`); the first when absent. */
  version?: number;
}

/** What ranking wants to know of a turn besides its terms. Stored: a bit keeps its meaning for ever. */
export const TRAIT = {
  /** It ends with a question. */
  asks: 1,
  /** It names a time: a date, a weekday, "yesterday", "last month". */
  tellsTime: 2,
  /** It names a number. */
  tellsNumber: 4,
} as const;
