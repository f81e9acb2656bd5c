import { stemsOf } from '../../memory/lessons/lesson-words.ts';

/** Fewest words of its own that a lesson has: fewer tell nobody what to do. */
const FEWEST_OWN_WORDS = 2;
/** A run of so many words that stands in a text of somebody else was taken from there. */
const RUN = 5;

/** Words that fit every piece of work. A lesson of these alone says nothing that was not known. */
const TRUISMS = stemsOf(
  `answer answers draft text response reply question questions directive request task work person user reader
   careful carefully check checked double verify review reread attention pay detail details ensure make sure
   correct correctly right wrong error errors mistake mistakes avoid accurate accuracy precise precisely exact exactly
   clear clearly clarity complete completely thorough thoroughly full fully good better best quality high improve
   improved follow following instruction instructions requirement requirements meet given asked ask always never
   every all important properly proper fix fixed issue issues problem problems write writing be more do done use
   think read understand consistent consistently helpful relevant useful need needs should must remember content
   everything anything something thing things part parts provide include please`,
);

/** Something that would be true of any work. */
export function isTruism(text: string): boolean {
  return [...stemsOf(text)].filter((stem) => !TRUISMS.has(stem)).length < FEWEST_OWN_WORDS;
}

/**
 * Whether a text was taken from one of the others: five words running that stand there, or a link. Tools and documents
 * are not to teach anybody: what they say would outlive them in every later prompt.
 */
export function isTakenFrom(text: string, sources: readonly string[]): boolean {
  const links = text.match(/\bhttps?:\/\/\S+/giu) ?? [];
  const words = wordsOf(text);
  const length = Math.min(RUN, words.length);
  const runs = words
    .slice(0, words.length - length + 1)
    .map((_, at) => words.slice(at, at + length).join(' '));
  return sources.some((source) => {
    if (links.some((link) => source.includes(link))) return true;
    const said = ` ${wordsOf(source).join(' ')} `;
    return runs.some((run) => run !== '' && said.includes(` ${run} `));
  });
}

function wordsOf(text: string): string[] {
  return (
    text
      .normalize('NFKC')
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? []
  );
}
