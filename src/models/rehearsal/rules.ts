import { NUMBER, numberOf, plain, sentences, words } from './words.ts';

/** What can be counted in an answer. */
export type Unit = 'words' | 'sentences' | 'characters' | 'lines' | 'paragraphs' | 'points';
export type Form = 'json' | 'bullets' | 'numbers' | 'table';

/** A demand that can be checked by looking, without judgement. */
export type Rule =
  | { kind: 'mentions'; texts: string[] }
  | { kind: 'omits'; texts: string[] }
  | { kind: 'amount'; unit: Unit; min: number | null; max: number | null }
  | { kind: 'form'; form: Form }
  | { kind: 'begins' | 'ends'; text: string }
  | { kind: 'sign'; sign: string; wanted: boolean };

export interface Finding {
  met: boolean;
  /** What was seen, in words. */
  evidence: string;
  /** What to do when it is not met. */
  fix: string;
}

/** Things that are in an answer or not, by their look. */
const SIGNS: Record<string, RegExp> = {
  'exclamation mark': /!/,
  'question mark': /\?/,
  emoji: /\p{Extended_Pictographic}/u,
  link: /https?:\/\//,
  number: /\p{N}/u,
  digit: /\p{N}/u,
  date: /\d{4}-\d{2}-\d{2}|\b\d{1,2}\s+(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)|\b(?:january|february|march|april|june|july|august|september|october|november|december)\s+\d/i,
  quote: /[“"«][^”"»]{1,400}[”"»]/,
  quotation: /[“"«][^”"»]{1,400}[”"»]/,
  heading: /^#{1,6} /m,
  'bullet point': /^\s*[-*•] /m,
  bullet: /^\s*[-*•] /m,
  list: /^\s*(?:[-*•]|\d+[.)]) /m,
  table: /^\|.+\|$/m,
  'code block': /```/,
};

const MARKED = /^\s*(?:[-*•]|\d+[.)])\s+\S/;

/** How much of something a text has. */
export function amountOf(unit: Unit, text: string): number {
  switch (unit) {
    case 'words':
      return words(text).length;
    case 'sentences':
      return sentences(text).length;
    case 'characters':
      return [...text].length;
    case 'paragraphs':
      return text.split(/\n\s*\n/).filter((part) => part.trim() !== '').length;
    case 'lines':
      return linesOf(text).length;
    case 'points':
      return pointsOf(text).length;
  }
}

/** The points an answer makes: its list items; without a list its lines, apart from one that says what is missing. */
export function pointsOf(text: string): string[] {
  const lines = linesOf(text);
  const marked = lines.filter((line) => MARKED.test(line));
  if (marked.length > 0) return marked;
  const values = jsonItems(text);
  return values ?? lines.filter((line) => !ADMITS.test(line));
}

/** An answer that says by itself that there is less than was asked for, or nothing. */
export const ADMITS =
  /\bfind (?:nothing|only|no more)\b|\broom for only\b|\b(?:found|know|have) (?:nothing|no information)\b|\b(?:do|does|did|could|can) ?n[o']t (?:find|know|say)\b/i;

function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line.trim() !== '');
}

function jsonItems(text: string): string[] | null {
  const value = parsed(text);
  const lists = Array.isArray(value) ? [value] : Object.values(value ?? {}).filter(Array.isArray);
  return lists.length === 0 ? null : (lists[0] as unknown[]).map((item) => JSON.stringify(item));
}

function parsed(text: string): object | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' ? value : null;
  } catch {
    return null;
  }
}

const UNIT = '(words?|sentences?|characters?|lines?|paragraphs?|points?|bullets?|bullet points|items?)';
const MOST = `(?:at most|no more than|not more than|up to|under|fewer than|less than|max(?:imum)?(?: of)?|within|below|not exceed(?:ing)?|limited to)\\s+${NUMBER}\\s+(?:\\w+\\s+)?${UNIT}`;
const LEAST = `(?:at least|no fewer than|not less than|min(?:imum)?(?: of)?|more than|over)\\s+${NUMBER}\\s+(?:\\w+\\s+)?${UNIT}`;
const EXACT = `(?:exactly|in|has|have|of|with|uses?)\\s+${NUMBER}\\s+(?:short |plain |simple |numbered )?${UNIT}`;

/** Limits on length that a text states: "in at most 50 words", "exactly two sentences". */
export function readAmounts(text: string): Extract<Rule, { kind: 'amount' }>[] {
  return splitAmounts(text).found;
}

/** The text without the limits it states. */
export function withoutAmounts(text: string): string {
  return splitAmounts(text).rest;
}

function splitAmounts(text: string): { found: Extract<Rule, { kind: 'amount' }>[]; rest: string } {
  const found: Extract<Rule, { kind: 'amount' }>[] = [];
  let rest = text;
  const take = (
    pattern: string,
    make: (n: number, phrase: string) => { min: number | null; max: number | null },
  ) => {
    rest = rest.replaceAll(
      new RegExp(`\\b${pattern}\\b`, 'gi'),
      (phrase: string, n: string, unit: string) => {
        found.push({ kind: 'amount', unit: unitOf(unit), ...make(numberOf(n), phrase) });
        return ' ';
      },
    );
  };
  take(MOST, (n, phrase) => ({ min: null, max: /^(?:under|fewer|less|below)/i.test(phrase) ? n - 1 : n }));
  take(LEAST, (n, phrase) => ({ min: /^(?:more|over)/i.test(phrase) ? n + 1 : n, max: null }));
  take(EXACT, (n) => ({ min: n, max: n }));
  return { found, rest };
}

function unitOf(word: string): Unit {
  const unit = `${word.toLowerCase().replace(/s$/, '')}s`;
  return /^(?:bullet|item|point)/.test(unit) ? 'points' : (unit as Unit);
}

/** The form that a text asks for; null when it names none. */
export function readForm(text: string): Form | null {
  if (/\b(?:valid|as|in|is|a|return|output|only|plain)\s+(?:a\s+)?(?:single\s+)?json\b/i.test(text))
    return 'json';
  if (/\b(?:bullet(?:ed)?(?:\s+points?|\s+list)|bullets)\b/i.test(text)) return 'bullets';
  if (/\bnumbered\b/i.test(text)) return 'numbers';
  if (/\b(?:as|in|is|a)\s+(?:a\s+)?(?:markdown\s+)?table\b/i.test(text)) return 'table';
  return null;
}

const NOT = String.raw`(?:(?:must|should|may|does|do|shall|will|is)\s*(?:not|n't|never)|never|without|avoids?|no)`;

/** The rule that a criterion states; null when telling whether it is met takes judgement. */
export function readRule(criterion: string): Rule | null {
  const text = criterion.trim().replace(/\.$/, '');
  const [amount] = readAmounts(text);
  if (amount) return amount;
  return readSign(text) ?? readMention(text) ?? readEnds(text) ?? readFormRule(text);
}

function readSign(text: string): Rule | null {
  const names = Object.keys(SIGNS).join('|');
  const article = '(?:using |use |contain(?:s|ing)? |have |has |include |any |a |an |the )*';
  const no = new RegExp(`\\b${NOT}\\s+${article}(${names})s?$`, 'i').exec(text);
  if (no?.[1]) return { kind: 'sign', sign: no[1].toLowerCase(), wanted: false };
  const yes = new RegExp(
    `\\b(?:gives?|contains?|has|have|includes?|names?|states?|uses?|with|cites?) (?:a|an|the|at least one|its|one) (${names})s?$`,
    'i',
  ).exec(text);
  return yes?.[1] ? { kind: 'sign', sign: yes[1].toLowerCase(), wanted: true } : null;
}

const MENTION =
  '(?:mention(?:s|ing)?|contain(?:s|ing)?|includ(?:es?|ing)|names?|naming|refer(?:s|ring)? to|cit(?:es?|ing)|us(?:es?|ing) the words?|say(?:s|ing)?)';

function readMention(text: string): Rule | null {
  const not = new RegExp(`\\b${NOT}\\s+(?:any )?(?:${MENTION}|mention of|the words?)\\s+(.+)$`, 'i').exec(
    text,
  );
  if (not?.[1]) return { kind: 'omits', texts: alternatives(not[1]) };
  const found = new RegExp(`\\b${MENTION}\\s+(.+)$`, 'i').exec(text);
  return found?.[1] ? { kind: 'mentions', texts: alternatives(found[1]) } : null;
}

/** What is named: the quoted parts, else the parts of a list. */
function alternatives(text: string): string[] {
  const quoted = [...text.matchAll(/[“"'‘«]([^”"'’»]+)[”"'’»]/g)].map(([, inner]) => inner ?? '');
  if (quoted.length > 0) return quoted;
  return text
    .split(/\s*,\s*(?:and |or )?|\s+(?:and|or)\s+/)
    .map((part) => part.replace(/^(?:the |a |an |both |either |words? |terms? |name |names )+/i, '').trim())
    .filter(Boolean);
}

function readEnds(text: string): Rule | null {
  const found = /\b(begin|start|end)s?\s+with\s+(?:the words? )?[“"'‘]?(.+?)[”"'’]?$/i.exec(text);
  if (!found?.[1] || !found[2]) return null;
  return { kind: found[1].toLowerCase() === 'end' ? 'ends' : 'begins', text: found[2] };
}

function readFormRule(text: string): Rule | null {
  const form = readForm(text);
  return form === null ? null : { kind: 'form', form };
}

/** Looks whether a text keeps a rule. `has` says how a mention is recognised, so that inflections count. */
export function check(rule: Rule, text: string, has: (text: string, what: string) => boolean): Finding {
  switch (rule.kind) {
    case 'mentions': {
      const missing = rule.texts.filter((what) => !has(text, what));
      return missing.length === 0
        ? met(`it mentions ${rule.texts.join(', ')}`)
        : unmet(`it does not mention ${missing.join(', ')}`, `Mention ${missing.join(', ')}.`);
    }
    case 'omits': {
      const there = rule.texts.filter((what) => has(text, what));
      return there.length === 0
        ? met(`${rule.texts.join(', ')} does not occur`)
        : unmet(`it mentions ${there.join(', ')}`, `Leave out ${there.join(', ')}.`);
    }
    case 'amount':
      return checkAmount(rule, text);
    case 'form':
      return hasForm(rule.form, text)
        ? met(`its form is ${FORM_NAMES[rule.form]}`)
        : unmet(`its form is not ${FORM_NAMES[rule.form]}`, `Write it as ${FORM_NAMES[rule.form]}.`);
    case 'begins':
    case 'ends': {
      const [whole, part] = [plain(text).replace(/\.$/, ''), plain(rule.text).replace(/\.$/, '')];
      const kept = rule.kind === 'begins' ? whole.startsWith(part) : whole.endsWith(part);
      return kept
        ? met(`it ${rule.kind} with “${rule.text}”`)
        : unmet(
            `it does not ${rule.kind.slice(0, -1)} with “${rule.text}”`,
            `Let it ${rule.kind.slice(0, -1)} with “${rule.text}”.`,
          );
    }
    case 'sign': {
      const there = SIGNS[rule.sign]?.test(text) ?? false;
      const evidence = `there is ${there ? 'a' : 'no'} ${rule.sign} in it`;
      return there === rule.wanted
        ? met(evidence)
        : unmet(evidence, `${rule.wanted ? 'Add a' : 'Remove every'} ${rule.sign}.`);
    }
  }
}

const FORM_NAMES: Record<Form, string> = {
  json: 'JSON',
  bullets: 'a bulleted list',
  numbers: 'a numbered list',
  table: 'a table',
};

export function formName(form: Form): string {
  return FORM_NAMES[form];
}

function hasForm(form: Form, text: string): boolean {
  if (form === 'json') return parsed(text) !== null;
  if (form === 'bullets') return /^\s*[-*•] /m.test(text);
  if (form === 'numbers') return /^\s*\d+[.)] /m.test(text);
  return /^\|.+\|$/m.test(text);
}

function checkAmount({ unit, min, max }: Extract<Rule, { kind: 'amount' }>, text: string): Finding {
  const amount = amountOf(unit, text);
  const evidence = `it has ${String(amount)} ${unit}`;
  if (max !== null && amount > max) return unmet(evidence, `Shorten it to at most ${String(max)} ${unit}.`);
  if (min !== null && amount < min) return unmet(evidence, `Bring it to at least ${String(min)} ${unit}.`);
  return met(evidence);
}

function met(evidence: string): Finding {
  return { met: true, evidence, fix: '' };
}

function unmet(evidence: string, fix: string): Finding {
  return { met: false, evidence, fix };
}
