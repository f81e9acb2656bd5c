import type { TurnRecord } from '../../store/records.ts';
import { speakerOf } from './attribution.ts';

/** Something that a person said to be so, and of which only one can be so at a time. */
export interface Claim {
  /** Of whom: a name in lower case. */
  subject: string;
  /** What about them: `home`, `work`, or the noun of "my … is". */
  about: string;
  /** Lower case, without articles. */
  value: string;
  /** The value as it was written. */
  written: string;
  /** False: it is said to be so no more. */
  holds: boolean;
}

/** Longest beginning of a turn that is read, in characters: what is longer is a document, not somebody telling of themselves. */
const LONGEST = 2_000;

/** Wishes, plans, guesses, tales and times that have passed: nothing that can be held against an earlier word. */
const NOT_FACT =
  /\b(?:if|would|might|may|could|should|maybe|perhaps|probably|almost|nearly|wish|hope|hoping|want|wants|plan|plans|planning|thinking|going to|imagine|suppose|used to|when (?:i|he|she|we|they)|back then|years ago|for (?:a|the) (?:day|week|weekend|month)|in (?:19|20)\d\d)\b|[?"“”«»]/iu;

/** A name of a place, a firm or a person: words with capitals, and small words between them. */
const NAME =
  "(?<value>(?:the )?\\p{Lu}[\\p{L}\\p{N}'’.&-]*(?: (?:(?:de|la|le|of|upon|am|an der|and|&) )?\\p{Lu}[\\p{L}\\p{N}'’.&-]*){0,3})";
const NO_NAME = /^(?:he|she|it|they|you|who|this|that|these|those|there|everyone|everybody|someone|nobody)$/i;
const ADVERBS = '(?: (?:just|now|recently|finally|actually|currently|since|have|back|all))*';
/** "I", "we" or a name, and the verb's ending that goes with it. */
const WHO = "(?<who>I|We|we|\\p{Lu}[\\p{L}’'-]+)";
const NO_MORE = "(?<no> no longer| don[’']t| doesn[’']t| do not| does not| stopped)?";

/** What is said of someone, by patterns that are few and narrow: a claim that is missed costs less than a false one. */
const PATTERNS: { about: string; pattern: RegExp }[] = [
  {
    about: 'home',
    pattern: new RegExp(
      `^${WHO}(?:[’']ve|[’']m|[’']s| have| has| am| is| are)?${ADVERBS} (?:moved|relocated)(?: back| over)?(?: from \\p{Lu}[\\p{L} -]*?)? to ${NAME}`,
      'u',
    ),
  },
  {
    about: 'home',
    pattern: new RegExp(
      `^${WHO}(?:[’']m|[’']s| am| is| are)?${ADVERBS}${NO_MORE} (?:lives?|living|resides?|based) (?:now )?in ${NAME}`,
      'u',
    ),
  },
  {
    about: 'work',
    pattern: new RegExp(
      `^${WHO}(?:[’']m|[’']s|[’']ve| am| is| are| have| has)?${ADVERBS}${NO_MORE} (?:works?|working|started(?: working| work)?|starting) (?:now )?(?:at|for) ${NAME}`,
      'u',
    ),
  },
  {
    about: 'name',
    pattern: new RegExp(`^(?<who>[Mm]y) name is (?:now )?${NAME}`, 'u'),
  },
];

/** Of these a person has one, or one that counts. */
const ONE_OF_A_KIND =
  'address|e-?mail(?: address)?|(?:phone|telephone|mobile)(?: number)?|birthday|age|job|occupation|job title|boss|manager|employer|landlord|doctor|dentist|home town|hometown|budget|deadline|time ?zone|nickname|surname|pronouns|diet|shoe size|favou?rite [\\p{L}-]+(?: [\\p{L}-]+)?';
const POSSESSED = new RegExp(
  `^(?<who>[Mm]y|[Oo]ur|\\p{Lu}[\\p{L}-]+[’']s)(?: new| current)? (?<noun>${ONE_OF_A_KIND}) (?:is|has changed to|changed to) (?:now |currently )?(?<value>[^,;!]{1,80})$`,
  'iu',
);

/** The claims in a turn of a person. An agent's words are none. */
export function claimsOf(turn: Pick<TurnRecord, 'agent' | 'speaker' | 'content'>): Claim[] {
  if (turn.agent !== 'wykeve') return [];
  const clauses = turn.content
    .slice(0, LONGEST)
    .split(/(?<=[.!?…])\s+|[;\n]|,? (?:and|but|so) (?=I\b|we\b|my\b)|,\s+(?=I\b|we\b|my\b)/u);
  return clauses.flatMap((clause) => claimOf(clause.trim(), speakerOf(turn)) ?? []);
}

function claimOf(clause: string, speaker: string): Claim | null {
  const text = clause.replace(
    /^(?:(?:well|ok|okay|oh|hey|hi|by the way|btw|actually|correction|update|news|also|yes|no)\b[,:!]?\s+)+/iu,
    '',
  );
  if (NOT_FACT.test(text)) return null;
  for (const { about, pattern } of PATTERNS) {
    const groups = pattern.exec(text)?.groups;
    if (groups) return claim(groups, about, speaker);
  }
  const groups = POSSESSED.exec(text.replace(/[.!…]+$/u, ''))?.groups;
  return groups ? claim(groups, nounOf(groups['noun'] ?? ''), speaker) : null;
}

function claim(groups: Record<string, string | undefined>, about: string, speaker: string): Claim | null {
  const value = valueOf(groups['value'] ?? '');
  // "She" may be anyone.
  if (value === '' || NO_NAME.test(groups['who'] ?? '')) return null;
  return {
    subject: subjectOf(groups['who'] ?? '', speaker),
    about,
    value,
    written: (groups['value'] ?? '').replace(/[.\s]+$/u, ''),
    holds: groups['no'] === undefined,
  };
}

function subjectOf(who: string, speaker: string): string {
  // Who says "we live" lives there too; what is "ours" need not be mine.
  if (/^(?:i|we|my)$/i.test(who)) return speaker.toLowerCase();
  return /^our$/i.test(who) ? `${speaker} and others`.toLowerCase() : who.replace(/[’']s$/, '').toLowerCase();
}

function nounOf(noun: string): string {
  return noun
    .toLowerCase()
    .replace('favourite', 'favorite')
    .replace(/^e-?mail.*/, 'email')
    .replace(/^(?:phone|telephone|mobile).*/, 'phone');
}

function valueOf(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/\b(?:the|a|an|now|any ?more|instead|again|today|yesterday)\b/gu, ' ')
    .replaceAll(/[^\p{L}\p{N}@+.-]+/gu, ' ')
    .replaceAll(/[.\s]+$/g, '')
    .trim();
}

/** Whether two claims cannot both be so. */
export function contradicts(later: Claim, earlier: Claim): boolean {
  if (later.subject !== earlier.subject || later.about !== earlier.about || !earlier.holds) return false;
  const same =
    ` ${later.value} `.includes(` ${earlier.value} `) || ` ${earlier.value} `.includes(` ${later.value} `);
  return later.holds ? !same : same;
}
