import type { TurnRecord } from '../../store/records.ts';
import { claimsOf, type Claim } from '../context/claims.ts';
import { subjectOf } from './fact-words.ts';
import type { FactReader, ReadFact } from './reader.ts';

/** How a claim of these reads as a sentence; of the others "their … is …". */
const SENTENCES: Record<string, (value: string) => string> = {
  home: (value) => `lives in ${value}`,
  work: (value) => `works at ${value}`,
  name: (value) => `has the name ${value}`,
};

/**
 * The reader of the rehearsal model, which is a rule and says so: the few narrow patterns by which the context tells
 * that a person has said something else of the same thing (`context/claims.ts`).
 */
export const ruleReader: FactReader = Object.freeze({
  author: 'rule' as const,
  read: (turns: TurnRecord[]) => Promise.resolve(turns.flatMap(factsOf)),
});

function factsOf(turn: TurnRecord): ReadFact[] {
  return claimsOf(turn).map((claim) => ({
    turn,
    subject: subjectOf(claim.subject),
    attribute: claim.about,
    value: claim.written,
    text: sentenceOf(claim),
    exclusive: true,
    holds: claim.holds,
  }));
}

function sentenceOf({ subject, about, written }: Claim): string {
  const who = subjectOf(subject);
  const says = SENTENCES[about]?.(written);
  return capital(says === undefined ? `${who}: the ${about} is ${written}.` : `${who} ${says}.`);
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
