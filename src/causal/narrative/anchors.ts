import type { CausalStore, RankedEvent } from '../../store/causal-store.ts';
import { analyseQuery } from '../../text/analyse.ts';
import { vitality } from '../graph/vitality.ts';

/** An event that the query itself names. */
export interface Anchor {
  event: RankedEvent;
  /** 0 to 1: how much of the query the event holds, or how much of the event the query holds, whichever is more. */
  score: number;
  /** Terms in common. */
  shared: number;
}

/** Events that are looked at for each query. */
const LOOKED_AT = 16;
/** An anchor further behind the best one than this says something else, */
const WORTH = 0.4;
/** unless the query holds so much of its words, and at least two: then it is named, beside one of rarer words. */
const NAMED = { score: 0.75, shared: 2 };

/** Questions for reasons, in the languages most asked in: English first, then the word for "why". */
const ASKS_WHY =
  /\bwhy\b|\bhow come\b|\bhow did (?:it|this|that|we)\b|\broot causes?\b|\breasons?\b|\bcause[sd]?\b|\bcausing\b|\bbecause\b|\b(?:led|leads?|leading) to\b|\bresult(?:s|ed)? (?:in|of|from)\b|\bconsequences?\b|\beffects? of\b|\bprevent(?:s|ed|ing)?\b|\bwhat (?:happened|happens|went wrong|will happen|would happen|made)\b|\bgo(?:es)? wrong\b|\bagain\b|\bavoid\b|\b(?:warum|weshalb|wieso|pourquoi|por qu[eé]|perché|waarom|varför|hvorfor|dlaczego|proč)\b|почему|зачем|为什么|為什麼|なぜ|どうして|왜/iu;

export function asksWhy(query: string): boolean {
  return ASKS_WHY.test(query);
}

/** The events that bear on a query by their words, best first, old and idle ones behind. */
export async function findAnchors(
  store: Pick<CausalStore, 'search'>,
  { sessionId, query, limit, now }: { sessionId: string; query: string; limit: number; now: number },
): Promise<Anchor[]> {
  const terms = analyseQuery(query);
  if (terms.length === 0) return [];
  const found = await store.search({ sessionId, terms, before: null, limit: Math.max(LOOKED_AT, limit) });
  const ranked = found
    .map(({ event, score }) => ({ event, weight: score * vitality(event, now) }))
    .sort((a, b) => b.weight - a.weight || b.event.happenedAt - a.event.happenedAt);
  const least = (ranked[0]?.weight ?? 0) * WORTH;
  return ranked
    .map(({ event, weight }) => ({ event, weight, ...resemblance(terms, event.text) }))
    .filter(
      ({ weight, score, shared }) => weight >= least || (score >= NAMED.score && shared >= NAMED.shared),
    )
    .slice(0, limit)
    .map(({ event, score, shared }) => ({ event, score, shared }));
}

function resemblance(queryTerms: string[], text: string): { score: number; shared: number } {
  const own = new Set(analyseQuery(text));
  const shared = queryTerms.filter((term) => own.has(term)).length;
  const fewest = Math.min(queryTerms.length, own.size);
  return { score: fewest === 0 ? 0 : shared / fewest, shared };
}
