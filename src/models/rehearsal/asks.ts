import { readAmounts, readForm, withoutAmounts, type Form, type Rule } from './rules.ts';
import { NUMBER, numberOf, sentences } from './words.ts';

/** What a directive asks for, as far as it can be read by rule. */
export interface Asks {
  /** The sentences that ask. Empty when the person only tells something. */
  questions: string[];
  /** The other sentences. */
  statements: string[];
  /** What it is about: the questions without the words of asking, counting and form. */
  subject: string;
  /** "three points": how many of what. */
  count: { number: number; noun: string } | null;
  limits: Extract<Rule, { kind: 'amount' }>[];
  form: Form | null;
  /** "Say: hello": the words to give back; null otherwise. */
  exact: string | null;
}

const VERBS =
  'give|list|name|tell|write|explain|describe|summari[sz]e|show|find|suggest|compare|remind|help|plan|make|create|draft|say|repeat|reply|respond|answer|recommend|propose|outline|mention|state|quote|collect|provide|return|prepare|check|translate|think';
const ASKING = new RegExp(
  `^(?:(?:please|and|but|so|then|now|ok|okay|hi|hello|hey)[,\\s]+)*(?:${VERBS}|what|who|whom|whose|when|where|why|how|which|is|are|am|was|were|do|does|did|can|could|will|would|should|shall|may|might|have|has|had)\\b`,
  'i',
);
/** Nouns that are counted as points of an answer, wherever they stand. */
const POINTS =
  'points?|reasons?|ideas?|items?|steps?|examples?|tips?|things?|ways?|facts?|bullets?|arguments?|options?|suggestions?|questions?|names?|causes?|risks?|benefits?|advantages?|disadvantages?|lessons?|topics?|events?|gifts?|dishes|recipes?|places?|hobbies|differences|similarities';
const COUNT = new RegExp(`\\b${NUMBER}\\s+(?:\\p{L}+\\s+){0,2}?(${POINTS})\\b`, 'iu');
const EXACT =
  /^(?:please\s+)?(?:say|repeat|reply with|respond with|answer with)(?:\s+(?:exactly|only|just|the words?|after me))*\s*:?\s+(.+)$/is;
/** Longer than this, an order to say something is a task to be thought about, not words to be given back. */
const LONGEST_EXACT = 120;

export function readAsks(directive: string): Asks {
  const all = sentences(directive);
  const questions = all.filter((sentence) => sentence.endsWith('?') || ASKING.test(sentence));
  const limits = readAmounts(directive);
  return {
    questions,
    statements: all.filter((sentence) => !questions.includes(sentence)),
    subject: subjectOf(questions.length > 0 ? questions : all),
    count: readCount(directive, limits),
    limits: limits.filter(({ unit }) => unit !== 'points'),
    form: readForm(directive),
    exact: readExact(directive),
  };
}

/** Words that only ask, at the beginning of a sentence or around what is asked. */
const OPENING = new RegExp(
  `^(?:(?:please|can|could|would|will|you|and|but|so|then|now|ok|okay|hi|hello|hey)[,\\s]+)*(?:${VERBS})\\b(?:\\s+(?:me|us|out|up|of|exactly|all))*`,
  'i',
);
const AROUND = /\b(?:what|all|everything|anything)?\s*(?:do\s+)?you\s+(?:know|remember|have)\b/gi;
const FORM_WORDS =
  /\b(?:as|in)\s+(?:a\s+|valid\s+)?(?:json|(?:bullet(?:ed)?|numbered)\s+(?:list|points)|bullets|(?:markdown\s+)?table)\b/gi;

function subjectOf(questions: string[]): string {
  return questions
    .map((question) => {
      const bare = withoutAmounts(question)
        .replace(OPENING, ' ')
        .replace(COUNT, ' ')
        .replaceAll(FORM_WORDS, ' ')
        .replaceAll(AROUND, ' ');
      return /[\p{L}\p{N}]/u.test(bare) ? bare : question;
    })
    .join(' ')
    .replaceAll(/\s+/g, ' ')
    .trim();
}

function readCount(directive: string, limits: Asks['limits']): Asks['count'] {
  const found = COUNT.exec(directive);
  if (found?.[1] && found[2]) return { number: numberOf(found[1]), noun: found[2].toLowerCase() };
  const points = limits.find(({ unit, min }) => unit === 'points' && min !== null);
  return points?.min ? { number: points.min, noun: 'points' } : null;
}

function readExact(directive: string): string | null {
  const text = directive.trim();
  const found = text.length > LONGEST_EXACT ? null : EXACT.exec(text);
  const words = found?.[1]?.trim() ?? '';
  if (words === '' || /\n/.test(words)) return null;
  const inQuotes = /^[“"'‘](.+)[”"'’][.!]?$/.exec(words);
  return inQuotes?.[1] ?? words.replace(/\.$/, '');
}
