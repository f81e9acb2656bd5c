import type { CausalEventRecord, RankedEvent } from '../../store/causal-store.ts';
import { analyseQuery } from '../../text/analyse.ts';
import type { Finding, Judge, Judgement } from './judge.ts';

/** How sure the rule is of what it reads: never very. */
const SURE = { reason: 0.5, consequence: 0.4, measure: 0.3, adjacent: 0.2 };
/** How long after another event one may be taken for its consequence by nothing but adjacency, in milliseconds. */
const ADJACENT_MS = 15 * 60_000;

/** "X because Y": what follows is the reason. */
const REASON =
  /\b(?:because(?: of)?|since|due to|thanks to|owing to|caused by|as a result of|after)\b(.+)$/iu;
/** "So X": what came before is the reason. */
const CONSEQUENCE =
  /^(?:and )?(?:so|therefore|thus|hence|consequently|as a result|that is why|that's why|because of (?:this|that|it)|this led to|which led to|after which|then)\b/iu;
/** "To keep Y from happening again". */
const MEASURE =
  /\b(?:to (?:prevent|avoid|stop)|so that .{0,60}\b(?:cannot|can't|never|no longer|not)\b|never again|no more)\b/iu;
/** "Instead of Y". */
const REPLACEMENT =
  /\b(?:instead of|in place of|replac(?:ed|es|ing)|switched (?:from|to)|no longer us(?:e|es|ing))\b/iu;

/**
 * The judge of the rehearsal model, which is a rule and says so: explicit connectives, and what stands side by side.
 * 1. "because Y", "due to Y", "after Y": the candidate that shares most words with Y caused the event (0.5).
 * 2. "so …", "therefore …", "as a result …": the newest candidate caused it (0.4).
 * 3. "to prevent …", "so that … cannot": it keeps the candidate that shares most words from happening again (0.3).
 * 4. "instead of …", "replaced …": it supersedes the candidate that shares most words (0.3).
 * 5. Else the newest candidate of the same conversation caused it when it shares a word and is at most 15 minutes old
 *    (0.2).
 */
export const ruleJudge: Judge = Object.freeze({
  judgedBy: 'rule' as const,
  judge: (event: CausalEventRecord, candidates: RankedEvent[]) =>
    Promise.resolve(findings(event, candidates)),
});

function findings(event: CausalEventRecord, candidates: RankedEvent[]): Judgement[] {
  const { text } = event;
  const newest = [...candidates].sort((a, b) => b.happenedAt - a.happenedAt || b.eventNo - a.eventNo);
  const reason = REASON.exec(text)?.[1];
  if (reason !== undefined) {
    const named = mostAlike(reason, newest, 1);
    if (named)
      return [judgement(named, 'candidate_caused_new', SURE.reason, `its words give it as the reason`)];
  }
  const [last] = newest;
  if (last && CONSEQUENCE.test(text.trim())) {
    return [judgement(last, 'candidate_caused_new', SURE.consequence, 'it is told as the consequence')];
  }
  if (REPLACEMENT.test(text)) {
    const replaced = mostAlike(text, newest, 2);
    if (replaced)
      return [judgement(replaced, 'new_supersedes_candidate', SURE.measure, 'it is told as its replacement')];
  }
  if (MEASURE.test(text)) {
    const averted = mostAlike(text, newest, 1);
    if (averted)
      return [
        judgement(averted, 'new_prevents_candidate', SURE.measure, 'it is told as a measure against it'),
      ];
  }
  const beside = newest.find(
    (candidate) =>
      candidate.conversationId === event.conversationId &&
      event.happenedAt - candidate.happenedAt <= ADJACENT_MS,
  );
  return beside && mostAlike(text, [beside], 1)
    ? [judgement(beside, 'candidate_caused_new', SURE.adjacent, 'they were told together')]
    : [];
}

/** The candidate that shares the most words with a text, at least so many; of equals the newest. */
function mostAlike(text: string, candidates: RankedEvent[], least: number): RankedEvent | null {
  const words = new Set(analyseQuery(text));
  let best: RankedEvent | null = null;
  let most = least - 1;
  for (const candidate of candidates) {
    const shared = analyseQuery(candidate.text).filter((term) => words.has(term)).length;
    if (shared > most) {
      best = candidate;
      most = shared;
    }
  }
  return best;
}

function judgement(
  candidate: RankedEvent,
  finding: Finding,
  confidence: number,
  explanation: string,
): Judgement {
  return { candidate, finding, confidence, explanation };
}
