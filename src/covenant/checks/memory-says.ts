import { analyse } from '../../text/analyse.ts';
import { claimsOf, contradicts } from '../../memory/context/claims.ts';
import type { CheckResult } from '../machine/state.ts';
import { required, told } from './check.ts';
import type { BuiltContext } from '../../memory/context/context-types.ts';

/** A person's own words, or a fact that memory has made of them. */
interface Said {
  /** The turn's id, or the fact's. */
  turnId: string;
  speaker: string | null;
  text: string;
  at: number;
  isFact?: boolean;
}

/** What memory holds against a wrong draft, kept with the cycle so that a check after a restart is the same. */
export interface MemoryEvidence {
  /** What the person has said of things that change, and not taken back, as far as the context shows it. */
  said: Said[];
  /** Events that did not come about, or no longer hold, and what stands against each. */
  counters: NonNullable<BuiltContext['counters']>;
}

/** Most of each that is kept, and the longest text, in characters. */
const MOST = 20;
const LONGEST = 2_000;

export function memoryEvidence(context: BuiltContext | null): MemoryEvidence {
  const said = (context?.relevantTurns ?? [])
    .filter(({ turn, superseded }) => !superseded && claimsOf(turn).length > 0)
    .slice(0, MOST)
    .map(({ turn }) => ({
      turnId: turn.turnId,
      speaker: turn.speaker,
      text: turn.content.slice(0, LONGEST),
      at: turn.timestamp,
    }));
  const facts = (context?.facts ?? []).map(({ fact }) => fact);
  const holding = facts
    .filter(({ validUntil }) => validUntil === null)
    .map((fact) => ({
      turnId: fact.factId,
      speaker: null,
      text: fact.text,
      at: fact.validFrom,
      isFact: true,
    }))
    .filter((fact) => claimsIn(fact).length > 0);
  const outdated = facts.flatMap((fact) => {
    const by = facts.find(({ factId }) => factId === fact.supersededBy);
    const against = { text: fact.text, at: fact.validFrom };
    return by ? [{ relation: 'superseded' as const, against, by: { text: by.text, at: by.validFrom } }] : [];
  });
  return {
    said: [...said, ...holding].slice(0, MOST),
    counters: [...(context?.counters ?? []), ...outdated].slice(0, MOST),
  };
}

/** Where a draft says what memory knows to be otherwise, with both quoted. */
export function memorySays(text: string, { said, counters }: MemoryEvidence): CheckResult[] {
  if (said.length === 0 && counters.length === 0) return [];
  const sentences = text.slice(0, 50_000).split(/(?<=[.!?…])\s+|\n/);
  return sentences.flatMap((sentence) => [
    ...contradicted(sentence, said),
    ...counters.flatMap((counter) => asserted(sentence, counter)),
  ]);
}

/** The claims of somebody's words; a fact speaks of the person by that name, and of others by theirs. */
function claimsIn({ text, speaker, isFact }: Pick<Said, 'text' | 'speaker' | 'isFact'>) {
  const content = isFact ? text.replace(/^The person[’']s\b/i, 'My').replace(/^The person\b/i, 'I') : text;
  return claimsOf({ agent: 'wykeve', speaker, content });
}

/** A draft speaks to the person: what it says of "you" is what they would say of "I". */
function asThePerson(sentence: string): string {
  return sentence
    .replaceAll(/\b[Yy]ou(?:'re|’re| are)\b/g, 'I am')
    .replaceAll(/\b[Yy]ou(?:'ve|’ve| have)\b/g, 'I have')
    .replaceAll(/\byour\b/g, 'my')
    .replaceAll(/\bYour\b/g, 'My')
    .replaceAll(/\b[Yy]ou\b/g, 'I')
    .replace(/^(?:as (?:far as I know|I know)|currently|at the moment|today|so),? /i, '');
}

function contradicted(sentence: string, said: MemoryEvidence['said']): CheckResult[] {
  const claims = [null, ...new Set(said.map(({ speaker }) => speaker))].flatMap((speaker) =>
    claimsOf({ agent: 'wykeve', speaker, content: asThePerson(sentence) }),
  );
  const against = said
    .toSorted((a, b) => b.at - a.at)
    .find((known) => claimsIn(known).some((told) => claims.some((claim) => contradicts(told, claim))));
  if (!against) return [];
  const who = against.speaker ?? 'the person';
  return [
    required(
      'memory',
      false,
      `The draft says “${brief(sentence)}”; ${against.isFact ? 'memory holds since' : `${who} said on`} ${dayOf(against.at)}: “${brief(against.text)}” (${against.turnId}).`,
    ),
  ];
}

/** Words by which a sentence itself says that something is over, or did not come about. */
const OVER =
  /\b(?:not|no longer|never|n[’']t|cancel\w*|prevent\w*|supersed\w*|replac\w*|instead|until|used to|formerly|previously|originally|had been|would have|was to|were to|failed|stopped|avoided)\b/i;

/** Words are compared by their stems: told only, because a sentence may share them and mean something else. */
function asserted(
  sentence: string,
  { against, by, relation }: MemoryEvidence['counters'][number],
): CheckResult[] {
  if (OVER.test(sentence)) return [];
  const here = new Set(analyse(sentence).terms.map(([term]) => term));
  const wanted = analyse(against.text).terms.map(([term]) => term);
  const shared = wanted.filter((term) => here.has(term)).length;
  if (wanted.length < 3 || shared / wanted.length < 0.8) return [];
  // A sentence that tells of both knows better than a check.
  const instead = analyse(by.text).terms.map(([term]) => term);
  const other = instead.filter((term) => !wanted.includes(term));
  if (other.length > 0 && other.filter((term) => here.has(term)).length / other.length >= 0.5) return [];
  const how = relation === 'superseded' ? 'what took its place' : 'what prevented it';
  return [
    told(
      'causes',
      false,
      `The draft says “${brief(sentence)}” as if it held; of “${brief(against.text)}” (${dayOf(against.at)}) memory knows ${how}: “${brief(by.text)}” (${dayOf(by.at)}).`,
    ),
  ];
}

function brief(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length > 200 ? `${line.slice(0, 199)}…` : line;
}

function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}
