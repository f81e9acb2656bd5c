/** What a session holds, counted. Days are UTC, `2023-05-08`. */
export interface SessionStatistics {
  conversations: number;
  turns: {
    total: number;
    byAgent: Record<string, number>;
    byKind: Record<string, number>;
    /** Days on which something was said, in order. */
    byDay: { day: string; turns: number }[];
    /** When the first and the last turn were said, in milliseconds since the epoch; null when there is none. */
    firstAt: number | null;
    lastAt: number | null;
  };
  summaries: { versions: number; byPerson: number };
  /** By outcome or, while they run, by status. */
  cycles: Record<string, number>;
  causal: { events: number; links: number };
  /** Secrets that were masked in its turns, by kind. */
  maskedSecrets: Record<string, number>;
  jobs: { ready: number; running: number; failed: number };
}
