import type { CheckResult } from '../machine/state.ts';
import { required, told } from './check.ts';

/** Links and quotes that are looked at. */
const MOST = 50;
const LINK = /\bhttps?:\/\/[^\s<>"'`\])}|\\]+/gi;
const QUOTE = '["“«](?<quote>[^"“”«»]{8,400})["”»]';
const SAID = '(?:said|say|wrote|write|told (?:me|us)|mentioned|stated|noted|asked|put it)';
/** Words that a text claims somebody to have said, before and after the words. */
const ATTRIBUTED = [
  new RegExp(
    `\\b(?<who>[Yy]ou|\\p{Lu}[\\p{L}'’-]+)(?: \\w+ly| once| also| have| had)? ${SAID}\\b[^"“”«»\\n]{0,40}${QUOTE}`,
    'gu',
  ),
  new RegExp(`${QUOTE},? (?:as )?(?<who>you|\\p{Lu}[\\p{L}'’-]+) (?:said|wrote|told me|mentioned)\\b`, 'gu'),
];
/** Capitals that are no names. */
const NO_NAME =
  /^(?:he|she|it|they|we|i|this|that|these|those|there|who|everyone|somebody|someone|nobody|people)$/i;

/**
 * What a draft claims to quote has to be in what it was given: memory, conversation, directive and tools. Words put into
 * the person's mouth are a fault; a link or a name from elsewhere may be right, so the reviewer is told.
 * @param context put together only when there is something to look for: a conversation may be long
 */
export function quotes(text: string, context: () => string): CheckResult[] {
  return [...strayLinks(text, context), ...strayQuotes(text, context)];
}

function strayLinks(text: string, context: () => string): CheckResult[] {
  const links = new Set([...text.matchAll(LINK)].slice(0, MOST).map(([link]) => bare(link)));
  if (links.size === 0) return [];
  const given = new Set([...context().matchAll(LINK)].map(([link]) => bare(link)));
  const stray = [...links].filter((link) => !given.has(link));
  return stray.length === 0
    ? [told('links', true, 'Every link is in the context.')]
    : [told('links', false, `Not in the context, so nobody has seen them: ${stray.slice(0, 5).join(', ')}.`)];
}

function strayQuotes(text: string, context: () => string): CheckResult[] {
  const claimed = ATTRIBUTED.flatMap((pattern) => [...text.matchAll(pattern)]).slice(0, MOST);
  if (claimed.length === 0) return [];
  const known = plain(context());
  const results: CheckResult[] = [];
  for (const match of claimed) {
    const { who = '', quote = '' } = match.groups ?? {};
    if (NO_NAME.test(who) || isGiven(quote, known)) continue;
    const person = who.toLowerCase() === 'you';
    const named = person ? 'the person' : who;
    const stranger = !person && !known.includes(plain(who));
    const detail = `The draft quotes ${named} with “${quote}”${stranger ? `, and ${who}` : ', which'} is nowhere in the context.`;
    results.push((person ? required : told)('quotes', false, detail));
  }
  return results;
}

/** Whether the words stand in the context; what was left out of a quote is marked by dots. */
function isGiven(quote: string, known: string): boolean {
  return quote
    .split(/\s*(?:\[?…\]?|\[?\.\.\.\]?)\s*/)
    .map(plain)
    .filter((part) => part !== '')
    .every((part) => known.includes(part));
}

/** Without what a quote may change: case, marks, line ends. */
function plain(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
}

/** Without what belongs to the sentence, and not to the link. */
function bare(link: string): string {
  return link.replace(/[.,;:!?*_]+$/, '').replace(/\/$/, '');
}
