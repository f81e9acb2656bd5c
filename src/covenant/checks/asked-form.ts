import type { CheckResult } from '../machine/state.ts';
import { required, told } from './check.ts';
import { fencedBlocks } from './code-blocks.ts';

const SMALL = 'one two three four five six seven eight nine ten eleven twelve'.split(' ');
const NUMBER = `(?<n>\\d{1,3}(?:[ ,]?\\d{3})*|${SMALL.join('|')})`;
const UNITS = [
  'word',
  'sentence',
  'paragraph',
  'character',
  'line',
  'bullet',
  'point',
  'item',
  'step',
] as const;
type Unit = (typeof UNITS)[number];
const UNIT = `(?:(?:short|brief|concise|numbered|full|key|main|bullet) ){0,2}(?<unit>${UNITS.join('|')})s?\\b`;

const MENTIONS_UNIT = new RegExp(`\\b(?:${UNITS.join('|')})s?\\b`);

type Kind = 'most' | 'least' | 'exactly' | 'about';

/** How a length is asked for, in English. Narrow on purpose: a wish that is missed costs less than one that is made up. */
const WISHES: { kind: Kind; pattern: RegExp }[] = [
  {
    kind: 'most',
    pattern: wish(
      `(?:at most|no more than|not more than|a maximum of|maximum|max\\.?|up to|under|fewer than|less than|within) ${NUMBER}[ -]${UNIT}`,
    ),
  },
  {
    kind: 'most',
    pattern: wish(`${NUMBER}[ -]${UNIT} (?:at most|at the most|or less|or fewer|max(?:imum)?|tops)\\b`),
  },
  {
    kind: 'least',
    pattern: wish(`(?:at least|no fewer than|no less than|a minimum of|more than) ${NUMBER}[ -]${UNIT}`),
  },
  { kind: 'least', pattern: wish(`${NUMBER}[ -]${UNIT} (?:or more|at least)\\b`) },
  { kind: 'about', pattern: wish(`(?:about|around|roughly|approximately|circa|some) ${NUMBER}[ -]${UNIT}`) },
  { kind: 'exactly', pattern: wish(`(?:exactly|precisely) ${NUMBER}[ -]${UNIT}`) },
  { kind: 'exactly', pattern: wish(`\\b(?:in|as|into|using|with|a) ${NUMBER}[ -]${UNIT}`) },
];

function wish(source: string): RegExp {
  return new RegExp(source, 'g');
}

/** How far a number may be off before it is not what was asked for. "In 100 words" means about; three points are three. */
const ABOUT = 0.25;
const SAID_IN_PASSING = 0.1;
const LOOSE_UNITS: ReadonlySet<Unit> = new Set(['word', 'character']);

/** Sentences of a directive that are about the answer; what before a length makes it the length of something else. */
const OF_THE_ANSWER =
  /\b(?:answer|reply|respond|response|summari[sz]e|summary|explain|describe|tell|keep it|give|write|list|name|compare|outline)\b/i;
const OF_SOMETHING_ELSE =
  /\b(?:that|which|who|whose|where|function|method|class|script|program|regex|query|code|app|field|input|form|user|users|limit|limits|each|per)\b/i;

interface Length {
  kind: Kind;
  amount: number;
  unit: Unit;
  quoted: string;
  certain: boolean;
}

/** The lengths that a directive asks for. */
export function askedLengths(directive: string): Length[] {
  const found: Length[] = [];
  for (const said of directive.slice(0, 20_000).split(/(?<=[.!?])\s|\n/)) {
    // In lower case the patterns need not look at every letter twice: they are most of what a check costs.
    const sentence = said.toLowerCase();
    if (!MENTIONS_UNIT.test(sentence)) continue;
    const taken: [number, number][] = [];
    for (const { kind, pattern } of WISHES) {
      for (const match of sentence.matchAll(pattern)) {
        const [from, to] = [match.index, match.index + match[0].length];
        // "At most three points" is not "three points" too.
        if (taken.some(([a, b]) => from < b && a < to)) continue;
        taken.push([from, to]);
        const amount = numberOf(match.groups?.['n'] ?? '');
        const unit = (match.groups?.['unit'] ?? '') as Unit;
        if (found.some((other) => other.kind === kind && other.unit === unit && other.amount === amount))
          continue;
        const certain = OF_THE_ANSWER.test(sentence) && !OF_SOMETHING_ELSE.test(sentence.slice(0, from));
        found.push({ kind, amount, unit, quoted: said.slice(from, to).trim(), certain });
      }
    }
  }
  return found;
}

const JSON_ASKED =
  /\b(?:answer|reply|respond|response|return|output|give|write|list|format)\b[^.?!\n]{0,60}\b(?:as|in|with|only)\s+(?:only\s+|valid\s+|a\s+|plain\s+)*JSON\b(?!\s+(?:file|schema|api|parser|format specification))/i;
const TABLE_ASKED = /\b(?:as|in|into) an? (?:markdown )?table\b/i;

/**
 * Whether a draft has the length and form that its directive asks for. Where the directive speaks plainly of the answer
 * the check is required; where it may speak of something else, the reviewer is told.
 */
export function askedForm(directive: string, text: string, hasFormat: boolean): CheckResult[] {
  // A form that the request fixes is checked by itself, and its length is not in words.
  if (hasFormat) return [];
  const { blocks, prose } = fencedBlocks(text);
  const results = askedLengths(directive).flatMap((length) => lengthCheck(length, prose));
  if (JSON_ASKED.test(directive)) {
    const candidates = [text, ...blocks.map(({ code }) => code)];
    const passed = candidates.some(isJson);
    results.push(
      required(
        'asked_json',
        passed,
        passed ? 'It is JSON, as asked.' : 'JSON is asked for, and there is none that parses.',
      ),
    );
  }
  if (TABLE_ASKED.test(directive)) {
    const passed =
      /^\s*\|?\s*:?-{3,}:?\s*(?:\|\s*:?-{3,}:?\s*)+\|?\s*$/m.test(text) || /<table\b/i.test(text);
    results.push(
      told(
        'asked_table',
        passed,
        passed ? 'It has a table, as asked.' : 'A table is asked for, and there is none.',
      ),
    );
  }
  return results;
}

function lengthCheck({ kind, amount, unit, quoted, certain }: Length, prose: string): CheckResult[] {
  const count = counted(unit, prose);
  // Points may be written as sentences: without a list there is nothing to count.
  if (count === null) return [];
  const passed = fits(kind, count, amount, unit);
  const detail = `“${quoted}” is asked for; the draft has ${String(count)} ${unit}${count === 1 ? '' : 's'}.`;
  return [(certain ? required : told)('asked_length', passed, detail)];
}

function fits(kind: Kind, count: number, amount: number, unit: Unit): boolean {
  const slack = LOOSE_UNITS.has(unit) ? 1 : 0;
  switch (kind) {
    // Words are counted in several ways: one in twenty is nobody's fault.
    case 'most':
      return count <= amount * (1 + 0.05 * slack);
    case 'least':
      return count >= amount * (1 - 0.05 * slack);
    case 'about':
      return Math.abs(count - amount) <= Math.max(1, amount * ABOUT);
    case 'exactly':
      return Math.abs(count - amount) <= amount * SAID_IN_PASSING * slack;
  }
}

function numberOf(text: string): number {
  const small = SMALL.indexOf(text);
  return small >= 0 ? small + 1 : Number(text.replaceAll(/[ ,]/g, ''));
}

/** How many there are; null where it cannot be said. */
function counted(unit: Unit, prose: string): number | null {
  switch (unit) {
    case 'word':
      return [...new Intl.Segmenter(undefined, { granularity: 'word' }).segment(prose)].filter(
        ({ isWordLike }) => isWordLike === true,
      ).length;
    case 'sentence':
      return [...new Intl.Segmenter('en', { granularity: 'sentence' }).segment(prose)].filter(({ segment }) =>
        /[\p{L}\p{N}]/u.test(segment),
      ).length;
    case 'paragraph':
      return prose.split(/\n\s*\n/).filter((part) => part.trim() !== '').length;
    case 'line':
      return prose.split('\n').filter((line) => line.trim() !== '').length;
    case 'character':
      return [...prose.trim()].length;
    case 'bullet':
    case 'point':
    case 'item':
    case 'step':
      return listItems(prose);
  }
}

/** The items of the outermost lists; null when there is no list. */
function listItems(prose: string): number | null {
  const items = [...prose.matchAll(/^([^\S\n]*)(?:[-*•+]|\d{1,3}[.)])[^\S\n]+\S/gm)].map(
    ([, indent = '']) => indent.length,
  );
  if (items.length === 0) return null;
  const outermost = Math.min(...items);
  return items.filter((indent) => indent === outermost).length;
}

function isJson(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null;
  } catch {
    return false;
  }
}
