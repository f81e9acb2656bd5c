import { analyseQuery } from '../../text/analyse.ts';
import type { FactRecord } from '../../store/fact-store.ts';
import type { MemoryDAL } from '../../store/memory-dal.ts';
import { minuteOf } from './attribution.ts';
import type { ContextFact, ContextRequest, ContextTurn, FoundFacts } from './context-types.ts';

/** Most that are looked at for one context. A budget decides how many are shown. */
const MOST_PINNED = 200;
const MOST_FOUND = 12;
/** The beginning of a directive that is looked at, in characters, and the words of it that are looked up. */
const LOOKED_AT = 4_000;
const MOST_TERMS = 64;
/** Smallest share of the question that a fact must hold, or of the fact that the question must hold. */
const BEARS = 0.25;
/** What a fact that held once weighs beside the one that holds. */
const SUPERSEDED_WEIGHT = 0.5;
/** A longer turn tells more than the facts that were noted from it, in characters. */
const LONGEST_FACT_TURN = 500;

/** The facts for a prompt: those that are pinned, and those that bear on the directive, with what took their place. */
export async function findFacts(
  { dal }: { dal: MemoryDAL },
  { sessionId, directive }: Pick<ContextRequest, 'sessionId' | 'directive'>,
): Promise<FoundFacts> {
  const terms = analyseQuery(directive.slice(0, LOOKED_AT)).slice(0, MOST_TERMS);
  const [pinned, found] = await Promise.all([
    dal.facts.pinned(sessionId, MOST_PINNED),
    dal.facts.search({ sessionId, terms, limit: MOST_FOUND }),
  ]);
  const shown = new Set(pinned.map(({ factId }) => factId));
  const relevant = found
    .filter(({ fact }) => !shown.has(fact.factId))
    .map(({ fact, ofQuestion, ofFact }): ContextFact => {
      const holds = fact.validUntil === null;
      return {
        fact,
        score: Math.max(ofQuestion, ofFact) * (holds ? 1 : SUPERSEDED_WEIGHT),
        source: 'lexical',
        parts: {
          of_question: ofQuestion,
          of_fact: ofFact,
          ...(holds ? {} : { superseded: SUPERSEDED_WEIGHT }),
        },
      };
    })
    .filter(({ parts }) => Math.max(parts['of_question'] ?? 0, parts['of_fact'] ?? 0) >= BEARS)
    .sort((a, b) => b.score - a.score);
  return {
    pinned: pinned.map((fact) => ({ fact, score: 1, source: 'pinned', parts: { pinned: 1 } })),
    relevant,
  };
}

/** Facts that are about the same stand together, in the order of time. */
export function inReadingOrder(facts: ContextFact[]): ContextFact[] {
  const lines = new Map<string, ContextFact[]>();
  for (const item of facts) {
    const key = `${item.fact.subject}\n${item.fact.attribute}`.toLowerCase();
    lines.set(key, [...(lines.get(key) ?? []), item]);
  }
  return [...lines.values()].flatMap((line) =>
    line.toSorted((a, b) => a.fact.validFrom - b.fact.validFrom || a.fact.factNo - b.fact.factNo),
  );
}

/** A fact as one entry of a prompt, before its text is made harmless: since when, or from when until when, and what. */
export function factEntry({ validFrom, validUntil, supersededBy, text }: FactRecord): {
  when: string;
  text: string;
} {
  const day = (at: number) => minuteOf(at).slice(0, 10);
  if (validUntil === null) return { when: `since ${day(validFrom)}`, text };
  const why = supersededBy === null ? 'ended' : 'superseded';
  return { when: `${day(validFrom)} to ${day(validUntil)}, ${why}`, text };
}

/**
 * Marks turns of which nothing that was noted holds any more. What the rules for changed facts do not see
 * (`superseded.ts`) a model may have seen.
 */
export async function withoutOutdated(
  { dal }: { dal: MemoryDAL },
  sessionId: string,
  turns: ContextTurn[],
): Promise<ContextTurn[]> {
  const asked = turns.filter(
    ({ turn, superseded }) =>
      turn.agent === 'wykeve' && !superseded && turn.content.length <= LONGEST_FACT_TURN,
  );
  if (asked.length === 0) return turns;
  const outdated = await dal.facts.outdatedTurns(
    sessionId,
    asked.map(({ turn }) => turn.turnId),
  );
  if (outdated.length === 0) return turns;
  const byTurn = new Map(outdated.map((each) => [each.turnId, each]));
  return turns.map((item) => {
    const each = item.superseded ? undefined : byTurn.get(item.turn.turnId);
    if (!each) return item;
    return {
      ...item,
      score: item.score * SUPERSEDED_WEIGHT,
      parts: { ...item.parts, superseded: SUPERSEDED_WEIGHT },
      superseded: { byTurnId: each.byTurnId, at: each.at },
    };
  });
}
