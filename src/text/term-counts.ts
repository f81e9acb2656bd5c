/** What the lexical index keeps of a text. */
export interface TermCounts {
  /** Distinct terms with how often each occurs. */
  terms: [term: string, count: number][];
  /** Number of term occurrences: the document length of BM25. */
  length: number;
  /** Bits of `TRAIT`. */
  traits?: number;
}

/** What ranking wants to know of a turn besides its terms. Stored: a bit keeps its meaning for ever. */
export const TRAIT = {
  /** Its last sentence is a question. */
  asks: 1,
} as const;
