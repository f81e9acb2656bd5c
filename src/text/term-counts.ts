/** What the lexical index keeps of a text. */
export interface TermCounts {
  /** Distinct terms with how often each occurs. */
  terms: [term: string, count: number][];
  /** Number of term occurrences: the document length of BM25. */
  length: number;
}
