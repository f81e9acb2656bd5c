import type { CausalEventRecord, CausalStore, RankedEvent } from '../../store/causal-store.ts';
import type { MeaningSearch } from '../meaning/meaning-search.ts';
import { analyseQuery } from '../../text/analyse.ts';

/** Most candidates that one event's causes are looked for among. */
export const MOST_CANDIDATES = 8;

/** Where a candidate was found; one may be found in several places. */
export type CandidateSource =
  'conversation' | 'actor' | 'open_end' | 'loose' | 'words' | 'meaning' | 'chain' | 'in_force';

export interface Candidate {
  event: RankedEvent;
  sources: CandidateSource[];
  score: number;
}

/**
 * What each source is worth at its first place. Effects rarely share words with their causes, so what the same actor
 * did last weighs as much as words do: most of all what is loose, without cause or effect so far, because most things
 * lead to something and an end of a chain may be just that. A chain is one subject: a word in common with any of its
 * events brings up its end, which need not hold the word itself; and the decision that it began with, as long as that is
 * in force, because what a new decision takes the place of is seldom an end.
 * Set over streams of the ten graphs of CausalEval in several orders and with fewer and fewer speakers (bench/causal.ts);
 * near these values the sum of what was found moved by less than one in a hundred.
 */
const WEIGHTS: Record<CandidateSource, number> = {
  conversation: 0.7,
  actor: 0.5,
  open_end: 0.8,
  loose: 1.2,
  words: 0.9,
  // Not tuned: the evaluation has no model. As much as words, which it stands in for where they fail.
  meaning: 0.9,
  chain: 1,
  in_force: 0.9,
};
/**
 * How many of a source's first places are among the candidates whatever the others say. A place found by words only
 * when it shares two of them: one word in common is an accident, two are a subject.
 */
const ASSURED: Record<CandidateSource, number> = {
  conversation: 1,
  actor: 1,
  open_end: 1,
  loose: 1,
  words: 2,
  meaning: 1,
  chain: 1,
  in_force: 1,
};
/** Reciprocal rank fusion's constant (Cormack, Clarke and Büttcher 2009 use 60 for long lists; these are short). */
const K = 8;
/** Places looked at in each source. */
const DEPTH: Record<CandidateSource, number> = {
  conversation: 2,
  actor: 12,
  open_end: 12,
  loose: 8,
  words: 12,
  meaning: 8,
  chain: 8,
  in_force: 4,
};
/** What is left of a place found by words when somebody else did it: the same thing may happen to two people. */
const OTHER_ACTOR = 0.2;
/**
 * Places found by words or meaning that are looked at, and those by words that are kept once what others did counts for
 * less. Many are looked at: in a large session the same words of others would crowd out what the same actor did.
 */
const LOOKED_AT = { words: 96, meaning: 64 };
const WORDS_KEPT = 24;
/** From this likeness on the first place found by meaning is assured: below, it may be the least unlike. */
const SURELY_ALIKE = 0.3;
/** Open ends of which the loose ones are taken. */
const OPEN_LOOKED_AT = 24;
/** Decisions of which those on the subject are looked for. */
const DECISIONS_LOOKED_AT = 48;

/** Earlier events of the session that may have to do with the event, best first, at most eight. */
export async function findCandidates(
  store: Pick<CausalStore, 'recentEvents' | 'search' | 'chainEnds' | 'eventsByNo' | 'inForce'>,
  event: CausalEventRecord,
  {
    limit = MOST_CANDIDATES,
    meaning = null,
  }: {
    limit?: number;
    /** Nearest in meaning, where there is a model. */ meaning?: MeaningSearch | null;
  } = {},
): Promise<Candidate[]> {
  const { sessionId, actor, conversationId } = event;
  const before = { happenedAt: event.happenedAt, eventNo: event.eventNo };
  const recent = (narrow: { actor?: string; conversationId?: string; openOnly?: boolean }, depth: number) =>
    store.recentEvents({ sessionId, before, limit: depth, ...narrow });
  const terms = analyseQuery(event.text);
  const whose = actor === null ? {} : { actor };
  const where = conversationId === null ? {} : { conversationId };
  const [conversation, own, open, words, decisions, alike] = await Promise.all([
    recent(where, DEPTH.conversation),
    recent(whose, DEPTH.actor),
    recent({ ...whose, openOnly: true }, OPEN_LOOKED_AT),
    store.search({ sessionId, terms, before, limit: LOOKED_AT.words }),
    store.inForce({ sessionId, before, limit: DECISIONS_LOOKED_AT, ...whose }),
    nearestInMeaning(store, event, meaning),
  ]);
  const scored = words
    .map(({ event: found, score }): Scored => ({
      found,
      sure: sharesTwo(terms, found.text),
      score: score * (actor === null || found.actor === actor ? 1 : OTHER_ACTOR),
    }))
    .sort((a, b) => b.score - a.score)
    .slice(0, WORDS_KEPT);
  const chains = await chainsOf(store, sessionId, scored);
  const ends = await endsOf(store, sessionId, chains, before);
  const held = await ofTheSubject(store, sessionId, decisions, chains);
  const pool = new Pool();
  // Where the conversation is not known, what happened last in the session is a guess like others.
  pool.addRanked('conversation', conversation, conversationId !== null);
  pool.addRanked('actor', own);
  pool.addRanked('open_end', open.slice(0, DEPTH.open_end));
  pool.addRanked('loose', open.filter(({ linked }) => !linked).slice(0, DEPTH.loose));
  pool.addScored('words', scored.slice(0, DEPTH.words));
  pool.addScored('meaning', alike.slice(0, DEPTH.meaning));
  pool.addScored('chain', ends.slice(0, DEPTH.chain));
  pool.addScored('in_force', held.slice(0, DEPTH.in_force));
  return pool.best(limit);
}

interface Scored {
  found: RankedEvent;
  score: number;
  /** Whether it may claim an assured place. */
  sure: boolean;
}

/** What is most like the event in meaning; as with words, what somebody else did counts for less. */
async function nearestInMeaning(
  store: Pick<CausalStore, 'eventsByNo'>,
  event: CausalEventRecord,
  meaning: MeaningSearch | null,
): Promise<Scored[]> {
  const near = (await meaning?.toEvent(event, LOOKED_AT.meaning)) ?? [];
  if (near.length === 0) return [];
  const likeness = new Map(near.map((each) => [each.eventNo, each.likeness]));
  const found = await store.eventsByNo(event.sessionId, [...likeness.keys()]);
  return found
    .map((each): Scored => ({
      found: each,
      sure: (likeness.get(each.eventNo) ?? 0) >= SURELY_ALIKE,
      score:
        (likeness.get(each.eventNo) ?? 0) *
        (event.actor === null || each.actor === event.actor ? 1 : OTHER_ACTOR),
    }))
    .sort(byScore);
}

function sharesTwo(terms: readonly string[], text: string): boolean {
  const own = new Set(analyseQuery(text));
  return terms.filter((term) => own.has(term)).length >= 2;
}

type Chains = { worth: Map<number, number> };

/** What each end of a chain is worth: all that words found in the chain. */
async function chainsOf(
  store: Pick<CausalStore, 'chainEnds'>,
  sessionId: string,
  found: Scored[],
): Promise<Chains> {
  const worth = new Map<number, number>();
  if (found.length === 0) return { worth };
  const chains = await store.chainEnds(
    sessionId,
    found.map((hit) => hit.found.eventNo),
  );
  chains.forEach(({ ends }, at) => {
    for (const end of ends) worth.set(end, (worth.get(end) ?? 0) + (found[at]?.score ?? 0));
  });
  return { worth };
}

/** The ends of the chains that the found events are part of; an end is worth what all of its chain is. */
async function endsOf(
  store: Pick<CausalStore, 'eventsByNo'>,
  sessionId: string,
  { worth }: Chains,
  before: { happenedAt: number; eventNo: number },
): Promise<Scored[]> {
  const events = await store.eventsByNo(sessionId, [...worth.keys()]);
  return events
    .filter(
      (event) =>
        event.happenedAt < before.happenedAt ||
        (event.happenedAt === before.happenedAt && event.eventNo < before.eventNo),
    )
    .map((event): Scored => ({ found: event, sure: true, score: worth.get(event.eventNo) ?? 0 }))
    .sort(byScore);
}

/** The decisions that began a chain in which words were found; each is worth what its chain is. */
async function ofTheSubject(
  store: Pick<CausalStore, 'chainEnds'>,
  sessionId: string,
  decisions: RankedEvent[],
  { worth }: Chains,
): Promise<Scored[]> {
  if (decisions.length === 0 || worth.size === 0) return [];
  const chains = await store.chainEnds(
    sessionId,
    decisions.map(({ eventNo }) => eventNo),
  );
  return decisions
    .map((found, at): Scored => {
      const worths = (chains[at]?.ends ?? []).map((end) => worth.get(end) ?? 0);
      return { found, sure: true, score: Math.max(0, ...worths) };
    })
    .filter(({ score }) => score > 0)
    .sort(byScore);
}

function byScore(a: Scored, b: Scored): number {
  return b.score - a.score || b.found.eventNo - a.found.eventNo;
}

/** Merges the sources: what several of them name comes first. */
class Pool {
  readonly #candidates = new Map<number, Candidate>();
  readonly #assured = new Set<number>();

  addRanked(source: CandidateSource, events: RankedEvent[], sure = true): void {
    events.forEach((event, place) => {
      this.#add(source, event, 1 / (1 + place / K), sure && place < ASSURED[source]);
    });
  }

  /** By place, and by how far the score is behind the best. */
  addScored(source: CandidateSource, scored: Scored[]): void {
    const top = scored[0]?.score ?? 0;
    scored.forEach(({ found, score, sure }, place) => {
      const share = score / top / (1 + place / K);
      if (top > 0) this.#add(source, found, share, sure && place < ASSURED[source]);
    });
  }

  best(limit: number): Candidate[] {
    const byScore = (a: Candidate, b: Candidate) => b.score - a.score || b.event.eventNo - a.event.eventNo;
    const assured = (candidate: Candidate) => (this.#assured.has(candidate.event.eventNo) ? 1 : 0);
    return [...this.#candidates.values()]
      .sort((a, b) => assured(b) - assured(a) || byScore(a, b))
      .slice(0, limit)
      .sort(byScore);
  }

  #add(source: CandidateSource, event: RankedEvent, share: number, assured: boolean): void {
    if (assured) this.#assured.add(event.eventNo);
    const known = this.#candidates.get(event.eventNo) ?? { event, sources: [], score: 0 };
    known.sources.push(source);
    known.score += WEIGHTS[source] * share;
    this.#candidates.set(event.eventNo, known);
  }
}
