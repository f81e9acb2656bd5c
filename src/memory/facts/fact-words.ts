import type { FactIndex } from '../../store/fact-store.ts';
import type { TermCounts } from '../../store/records.ts';
import { analyse } from '../../text/analyse.ts';

/** What a fact says. */
export interface FactWords {
  subject: string;
  attribute: string;
  value: string;
  /** As a sentence; made of the rest when absent or empty. */
  text?: string | undefined;
}

/** Whoever the session belongs to, as facts name them. */
export const PERSON = 'the person';
/** How people and models speak of that person. */
const NAMES_OF_THE_PERSON = /^(?:the )?(?:person|user|speaker|wykeve|human)$|^(?:i|me|myself|my)$/iu;

/** Longest parts, in characters. A fact is a sentence, not a document. */
export const LONGEST = { subject: 120, attribute: 120, value: 400, text: 600 } as const;

export function subjectOf(subject: string): string {
  const plain = squeezed(subject);
  return NAMES_OF_THE_PERSON.test(plain) ? PERSON : plain;
}

/** The words, tidy, with all that is derived from them. */
export function wordsOf(
  given: FactWords,
): { subject: string; attribute: string; value: string; text: string } & FactIndex {
  const subject = subjectOf(given.subject).slice(0, LONGEST.subject);
  const attribute = squeezed(given.attribute).slice(0, LONGEST.attribute);
  const value = squeezed(given.value).slice(0, LONGEST.value);
  const told = squeezed(given.text ?? '').slice(0, LONGEST.text);
  const text = told === '' ? `${subject}, ${attribute}: ${value}` : told;
  return {
    subject,
    attribute,
    value,
    text,
    ...keysOf({ subject, attribute, value }),
    terms: factTerms({ subject, attribute, value, text }),
  };
}

/** Two facts with equal keys are about the same, or say the same. These keys are stored: they never change. */
export function keysOf({
  subject,
  attribute,
  value,
}: Pick<FactWords, 'subject' | 'attribute' | 'value'>): Pick<
  FactIndex,
  'subjectKey' | 'attributeKey' | 'valueKey'
> {
  return {
    subjectKey: key(subjectOf(subject)),
    attributeKey: key(attribute),
    valueKey: key(value),
  };
}

/** By what a question may ask for a thing without naming it: English words for the attributes that are asked for most. */
const ASKED_BY: { attribute: RegExp; words: string }[] = [
  {
    attribute: /\b(?:home|residence|city|town|address|location|lives?)\b/iu,
    words: 'live living home city town moved',
  },
  {
    attribute: /\b(?:work|job|employer|occupation|profession|company)\b/iu,
    words: 'work working job employer company',
  },
  { attribute: /\bname\b/iu, words: 'name called' },
  { attribute: /\b(?:birthday|birth date|date of birth|age)\b/iu, words: 'birthday born age old' },
  { attribute: /\b(?:diet|allergy|allergies|food)\b/iu, words: 'eat food diet allergic cook' },
  {
    attribute: /\b(?:wife|husband|spouse|partner)\b/iu,
    words: 'wife husband spouse partner married',
  },
];

/** The terms by which a fact is found. That it is about the person whose session it is says nothing. */
export function factTerms({ subject, attribute, value, text }: FactWords): TermCounts {
  const about = subjectOf(subject) === PERSON ? '' : subject;
  const sentence = (text ?? '').replaceAll(/\b(?:the person|the user)(?:[’']s)?\b/giu, ' ');
  const asked = ASKED_BY.filter((each) => each.attribute.test(attribute)).map(({ words }) => words);
  return analyse([about, attribute, value, sentence, ...asked].join('\n'));
}

function squeezed(text: string): string {
  return text.replaceAll(/\s+/gu, ' ').trim();
}

function key(text: string): string {
  return squeezed(text.normalize('NFKC').toLowerCase().replaceAll(/[_-]/gu, ' '))
    .replace(/^(?:the|a|an|my|their|his|her|its|current) /u, '')
    .replace(/[.!]+$/u, '')
    .replaceAll('favourite', 'favorite');
}
