import type { CausalStore, RankedEvent } from '../../store/causal-store.ts';
import type { LikeEvent, MeaningSearch } from '../meaning/meaning-search.ts';
import { analyseQuery } from '../../text/analyse.ts';
import { vitality } from '../graph/vitality.ts';

/** An event that the query itself names. */
export interface Anchor {
  event: RankedEvent;
  /** 0 to 1: how much of the query the event holds, or of the event the query, or how alike they are: whichever is most. */
  score: number;
  /** Terms in common. */
  shared: number;
  /** How alike in meaning, 0 to 1; 0 without a model. */
  likeness: number;
}

/** Events that are looked at for each query. */
const LOOKED_AT = 16;
/** An anchor further behind the best one than this says something else, */
const WORTH = 0.4;
/** unless the query holds so much of its words, and at least two: then it is named, beside one of rarer words. */
const NAMED = { score: 0.75, shared: 2 };

/** From this likeness on an event without any of the query's words is found. */
const ALIKE = 0.2;

/** Questions for reasons, in the languages most asked in: English first, then the word for "why". */
const ASKS_WHY =
  /\bwhy\b|\bhow come\b|\bhow did (?:it|this|that|we)\b|\broot causes?\b|\breasons?\b|\bcause[sd]?\b|\bcausing\b|\bbecause\b|\b(?:led|leads?|leading) to\b|\bresult(?:s|ed)? (?:in|of|from)\b|\bconsequences?\b|\beffects? of\b|\bprevent(?:s|ed|ing)?\b|\bwhat (?:happened|happens|went wrong|will happen|would happen|made)\b|\bgo(?:es)? wrong\b|\bagain\b|\bavoid\b|\b(?:warum|weshalb|wieso|pourquoi|por qu[eé]|perché|waarom|varför|hvorfor|dlaczego|proč)\b|почему|зачем|为什么|為什麼|なぜ|どうして|왜/iu;

export function asksWhy(query: string): boolean {
  return ASKS_WHY.test(query);
}

/** The events that bear on a query by their words or their meaning, best first, old and idle ones behind. */
export async function findAnchors(
  { store, meaning }: { store: Pick<CausalStore, 'search' | 'eventsByNo'>; meaning: MeaningSearch | null },
  { sessionId, query, limit, now }: { sessionId: string; query: string; limit: number; now: number },
): Promise<Anchor[]> {
  const terms = analyseQuery(query);
  const depth = Math.max(LOOKED_AT, limit);
  const [worded, alike] = await Promise.all([
    terms.length === 0 ? [] : store.search({ sessionId, terms, before: null, limit: depth }),
    meaning ? meaning.toQuestion(sessionId, query, depth) : [],
  ]);
  const found = await fused(store, sessionId, terms, { worded, alike });
  const ranked = found
    .map((each) => ({ ...each, weight: each.weight * vitality(each.event, now) }))
    .sort((a, b) => b.weight - a.weight || b.event.happenedAt - a.event.happenedAt);
  const least = (ranked[0]?.weight ?? 0) * WORTH;
  return ranked
    .filter(
      ({ weight, score, shared }) => weight >= least || (score >= NAMED.score && shared >= NAMED.shared),
    )
    .slice(0, limit)
    .map(({ event, score, shared, likeness }) => ({ event, score, shared, likeness }));
}

/**
 * Adds up words and meaning, as retrieval does with turns: full likeness counts as much as the whole query would, the
 * words that no event holds included. So where words fail, meaning counts for more.
 */
async function fused(
  store: Pick<CausalStore, 'eventsByNo'>,
  sessionId: string,
  terms: readonly string[],
  { worded, alike }: { worded: { event: RankedEvent; score: number }[]; alike: LikeEvent[] },
): Promise<(Anchor & { weight: number })[]> {
  const likeness = new Map(alike.map((each) => [each.eventNo, each.likeness]));
  const byWords = worded.map(({ event, score }) => {
    const like = likeness.get(event.eventNo) ?? 0;
    const { score: resembles, shared } = resemblance(terms, event.text);
    return { event, words: score, score: Math.max(resembles, like), shared, likeness: like };
  });
  const best = byWords[0];
  const whole = best ? (best.words * terms.length) / Math.max(1, best.shared) : 1;
  const known = new Set(worded.map(({ event }) => event.eventNo));
  const others = alike.filter((each) => each.likeness >= ALIKE && !known.has(each.eventNo));
  const events =
    others.length === 0
      ? []
      : await store.eventsByNo(
          sessionId,
          others.map(({ eventNo }) => eventNo),
        );
  const byMeaning = events.map((event) => {
    const like = likeness.get(event.eventNo) ?? 0;
    return { event, words: 0, score: like, shared: 0, likeness: like };
  });
  return [...byWords, ...byMeaning].map(({ words, ...anchor }) => ({
    ...anchor,
    weight: words + whole * anchor.likeness,
  }));
}

function resemblance(queryTerms: readonly string[], text: string): { score: number; shared: number } {
  const own = new Set(analyseQuery(text));
  const shared = queryTerms.filter((term) => own.has(term)).length;
  const fewest = Math.min(queryTerms.length, own.size);
  return { score: fewest === 0 ? 0 : shared / fewest, shared };
}
