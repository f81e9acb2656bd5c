import type { MemoryDAL } from '../../store/memory-dal.ts';
import { analyseQuery } from '../../text/analyse.ts';

/** A turn that bears on a question, by its place in the session. */
export interface FoundTurn {
  conversationOrdinal: number;
  turnNumber: number;
  score: number;
  /** What the score was made of. */
  parts: Record<string, number>;
}

export interface Retriever {
  /** Best first. */
  retrieve(input: {
    sessionId: string;
    query: string;
    limit: number;
    /** Now, for dates such as "last week", in milliseconds since the epoch. */
    now: number;
    timeRange?: { from?: number; to?: number } | null;
  }): Promise<FoundTurn[]>;
}

/** BM25's usual constants (Robertson and Zaragoza, 2009). */
const K1 = 1.2;
const B = 0.75;

export function createRetriever({ dal }: { dal: Pick<MemoryDAL, 'index'> }): Retriever {
  return {
    async retrieve({ sessionId, query, limit, timeRange }) {
      const found = await dal.index.lookup(sessionId, analyseQuery(query));
      const count = found.lengths.length;
      const average = found.lengths.reduce((sum, length) => sum + length, 0) / Math.max(1, count);
      const scores = new Float64Array(count);
      for (const { places, counts } of found.terms) {
        const idf = Math.log(1 + (count - places.length + 0.5) / (places.length + 0.5));
        places.forEach((place, at) => {
          const tf = counts[at] ?? 0;
          const norm = K1 * (1 - B + (B * (found.lengths[place] ?? 0)) / average);
          scores[place] = (scores[place] ?? 0) + (idf * tf * (K1 + 1)) / (tf + norm);
        });
      }
      const { from = -Infinity, to = Infinity } = timeRange ?? {};
      const places = [...scores.keys()].filter((place) => {
        const at = (found.minutes[place] ?? 0) * 60_000;
        return (scores[place] ?? 0) > 0 && at >= from && at <= to;
      });
      places.sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b);
      return places.slice(0, limit).map((place) => {
        let index = found.starts.length - 1;
        while ((found.starts[index] ?? 0) > place) index -= 1;
        const score = scores[place] ?? 0;
        return {
          conversationOrdinal: found.conversations[index] ?? 0,
          turnNumber: place - (found.starts[index] ?? 0) + 1,
          score,
          parts: { bm25: score },
        };
      });
    },
  };
}
