import { analyse } from '../../text/analyse.ts';
import type { TermPostings } from '../../store/turn-index.ts';
import type { WeightedTerm } from './question.ts';
import { inverseFrequency } from './turn-scorer.ts';

/** Terms of the best turns that are considered at all. */
const CONSIDERED = 40;
/** Shortest term that may be added: shorter ones are figures and scraps. */
const SHORTEST = 3;

/** A term in more than a twentieth of the turns leads nowhere; a thousand entries are enough to read for one. */
export function mostFeedbackEntries(turnCount: number): number {
  return Math.min(1_000, Math.max(10, Math.floor(turnCount / 20)));
}

/**
 * Words that the best turns have in common and the question does not: "camping" found them, "tent" and "campfire" may
 * find the others. (Pseudo-relevance feedback; Rocchio 1971, Lavrenko and Croft 2001.) Returns candidates with what
 * the turns say for each, best first.
 */
export function feedbackCandidates(
  turns: readonly { text: string; score: number }[],
  known: ReadonlySet<string>,
): WeightedTerm[] {
  const top = turns[0]?.score ?? 1;
  const weights = new Map<string, number>();
  for (const { text, score } of turns) {
    for (const [term, count] of analyse(text).terms) {
      if (term.length < SHORTEST || known.has(term)) continue;
      weights.set(term, (weights.get(term) ?? 0) + ((score / top) * count) / (count + 1));
    }
  }
  return [...weights]
    .map(([term, weight]) => ({ term, weight }))
    .sort((a, b) => b.weight - a.weight || (a.term < b.term ? -1 : 1))
    .slice(0, CONSIDERED);
}

/** The `limit` candidates that tell most, rare in the session and frequent in the best turns, the best with `weight`. */
export function chooseFeedback(
  candidates: readonly WeightedTerm[],
  found: readonly TermPostings[],
  turnCount: number,
  { limit, weight }: { limit: number; weight: number },
): WeightedTerm[] {
  const entries = new Map(found.map(({ term, places }) => [term, places.length]));
  const told = candidates
    .flatMap((candidate) => {
      const count = entries.get(candidate.term) ?? 0;
      // A term that occurs once is where it was found, and nowhere else.
      return count < 2 ? [] : [{ ...candidate, told: candidate.weight * inverseFrequency(turnCount, count) }];
    })
    .sort((a, b) => b.told - a.told)
    .slice(0, limit);
  const top = told[0]?.told ?? 1;
  return told.map(({ term, told: tells }) => ({ term, weight: (weight * tells) / top }));
}
