import { claimsOf, contradicts, type Claim } from './claims.ts';
import { findTurns, type Finders, type Question } from './find-turns.ts';
import type { ContextTurn } from './context-types.ts';

/** What a superseded turn weighs beside the one that took its place. */
const SUPERSEDED_WEIGHT = 0.5;
/** How well a turn that tells what is asked for answers, beside the best one found by its words. */
const FACT_SCORE = 0.9;
/** Things that are looked up for one context, and turns that are looked at for each. */
const MOST_LOOK_UPS = 3;
const TURNS_A_LOOK_UP = 25;

/** Words by which claims about a thing are found, and those by which a question asks for it. */
const CUES: Record<string, { words: string; asked: RegExp }> = {
  home: {
    words: 'live living lives moved relocated based reside',
    asked: /\b(?:live|lives|living|moved?|based|resides?|home|city|town)\b/i,
  },
  work: {
    words: 'work works working started job',
    asked: /\b(?:work|works|working|job|employer|company)\b/i,
  },
  name: { words: 'name', asked: /\bname\b/i },
};

/** The searches of one context, by what they are about. */
type LookUps = Map<string, Promise<ContextTurn[]>>;

/** Begins the searches that the question itself calls for, while the turns for it are still being found. */
export function lookUpAsked(deps: Finders, question: Pick<Question, 'sessionId' | 'query' | 'now'>): LookUps {
  return new Map(
    askedIn(question.query).map((about) => {
      const turns = lookUp(deps, question, about);
      // Whoever waits for it hears of a failure; if something else fails first, nobody does.
      turns.catch(() => undefined);
      return [about, turns];
    }),
  );
}

function askedIn(query: string): string[] {
  return Object.keys(CUES).filter((about) => CUES[about]?.asked.test(query));
}

function lookUp(
  deps: Finders,
  { sessionId, now }: Pick<Question, 'sessionId' | 'now'>,
  about: string,
): Promise<ContextTurn[]> {
  const query = CUES[about]?.words ?? about;
  return findTurns(deps, { sessionId, query, limit: TURNS_A_LOOK_UP, timeRange: null, now });
}

interface ToldBy {
  item: ContextTurn;
  claim: Claim;
}

/**
 * Facts that change: where a person said of the same thing first this and later that, the later word counts. Found
 * from time and words alone, by narrow rules (`claims.ts`) and a second search for what else was said of the thing,
 * since "I moved to Lyon" shares no word with "I live in Paris". The earlier turn stays, marked and behind.
 */
export async function withoutStale(
  deps: Finders,
  question: Pick<Question, 'sessionId' | 'query' | 'now'>,
  found: ContextTurn[],
  looked: number,
  begun: LookUps = lookUpAsked(deps, question),
): Promise<ContextTurn[]> {
  const asked = askedIn(question.query);
  const told = found.slice(0, looked).flatMap(({ turn }) => claimsOf(turn));
  const abouts = [...new Set([...asked, ...told.map(({ about }) => about)])].slice(0, MOST_LOOK_UPS);
  if (abouts.length === 0) return found;
  const others = await Promise.all(
    abouts.map((about) => {
      const turns = begun.get(about) ?? lookUp(deps, question, about);
      begun.set(about, turns);
      return turns;
    }),
  );
  return mark(found, others.flat(), { asked: new Set(asked), query: question.query });
}

function mark(
  found: ContextTurn[],
  others: ContextTurn[],
  question: { asked: Set<string>; query: string },
): ContextTurn[] {
  const all = new Map<string, ContextTurn>();
  for (const item of [...others, ...found]) all.set(item.turn.turnId, item);
  const told: ToldBy[] = [...all.values()]
    .flatMap((item) => claimsOf(item.turn).map((claim) => ({ item, claim })))
    .sort((a, b) => inTime(a.item, b.item));
  const kept = new Map(found.map((item) => [item.turn.turnId, item]));
  for (const earlier of told) {
    const { turn } = earlier.item;
    const later = told.findLast(
      (each) => inTime(each.item, earlier.item) > 0 && contradicts(each.claim, earlier.claim),
    );
    const item = kept.get(turn.turnId);
    if (!later) {
      if (answers(earlier.claim, question)) keep(kept, earlier.item, FACT_SCORE);
      continue;
    }
    if (!item || item.superseded) continue;
    kept.set(turn.turnId, {
      ...item,
      score: item.score * SUPERSEDED_WEIGHT,
      parts: { ...item.parts, superseded: SUPERSEDED_WEIGHT },
      superseded: { byTurnId: later.item.turn.turnId, at: later.item.turn.timestamp },
    });
    // What took its place answers at least as well.
    keep(kept, later.item, item.score);
  }
  return [...kept.values()].sort((a, b) => b.score - a.score);
}

/** Shows a turn with at least this score. */
function keep(kept: Map<string, ContextTurn>, item: ContextTurn, score: number): void {
  const known = kept.get(item.turn.turnId);
  if (known && known.score >= score) return;
  // A search of its own has scores of its own: the parts say only why it is here.
  const parts = { ...(known?.parts ?? {}), fact: score };
  kept.set(item.turn.turnId, { ...item, ...(known ?? {}), source: item.source, score, parts });
}

/** Whether a claim tells what the question asks: the thing, and whose. */
function answers(claim: Claim, { asked, query }: { asked: Set<string>; query: string }): boolean {
  if (!claim.holds || !asked.has(claim.about)) return false;
  if (/\b(?:i|my|me|we|our)\b/i.test(query) && claim.subject === 'the person') return true;
  return query
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .includes(claim.subject);
}

function inTime(a: ContextTurn, b: ContextTurn): number {
  return (
    a.turn.timestamp - b.turn.timestamp ||
    a.turn.storedAt - b.turn.storedAt ||
    (a.turn.conversationId === b.turn.conversationId ? a.turn.turnNumber - b.turn.turnNumber : 0)
  );
}
