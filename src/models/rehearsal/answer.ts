import { quoted, type Passage } from './passages.ts';
import type { Prompt } from './prompt.ts';
import { asksBack, mentions, rank, withoutEchoes, type Ranked } from './relevance.ts';
import { check, readRule, type Form, type Rule } from './rules.ts';
import { clipWords, plain, sentences, words } from './words.ts';

/** Smallest share of a question that a passage must hold to bear on it. */
export const BEARS = 0.2;
/** Beside the best passage, one with less than this share of its score is not quoted at first. */
const BESIDE_BEST = 0.5;
/** A revision looks further: what bears on the question at all. */
const FURTHER = 0.2;
/** Passages that are quoted when no number is asked for. */
const USUAL_QUOTES = 4;
/** A longer passage is quoted by its best sentences, in words. */
const LONGEST_QUOTE = 60;
const BEST_SENTENCES = 2;
/** A quotation cut below this many words says less than the bare words without who said them. */
const FEWEST_WORDS = 6;

const WHAT_I_AM = 'I am ccc-rehearsal: I can only quote and combine what my prompt holds.';

/** What a written answer is measured against. */
interface Plan {
  /** Everything that was found, before limits. */
  all: Unit[];
  /** Names that a review missed. */
  wanted: string[];
  form: Form | null;
}

/** One quotation of an answer. */
interface Unit {
  item: Ranked;
  text: string;
}

/**
 * Answers the prompt from the prompt and nothing else: quotes what bears on the question, says who said it and when,
 * and says plainly when there is nothing, or less than was asked for. A first answer takes the strongest passages; a
 * revision looks further, for what the review has named.
 */
export function answer(prompt: Prompt): string {
  const { asks, directive } = prompt;
  if (directive.trim() === '') return `There is no question in what I was given. ${WHAT_I_AM}`;
  const demands = demandsOf(prompt);
  const wanted = prompt.revision ? extraWants(prompt, demands) : [];
  if (wanted.length === 0) {
    if (asks.exact !== null) return asks.exact;
    if (asks.questions.length === 0) return `Noted: ${quoteOf(directive)}`;
  }
  const units = choose(prompt, wanted).filter(
    ({ item, text }) =>
      !demands.some((rule) => rule.kind === 'omits' && !isKept(rule, quoted(item.passage, text, 'person'))),
  );
  return fitted(prompt, units, wanted, demands);
}

/** The limits and forms of the directive, and the criteria as far as they are rules. */
function demandsOf({ asks, criteria }: Prompt): Rule[] {
  const form: Rule[] = asks.form === null ? [] : [{ kind: 'form', form: asks.form }];
  const stated = criteria.flatMap(({ text }) => readRule(text) ?? []);
  return [...asks.limits, ...form, ...stated];
}

/** Names that a review misses: of criteria that were not met, and of fixes. */
function extraWants({ revision, criteria }: Prompt, demands: Rule[]): string[] {
  const fromFixes = revision?.fixes.flatMap((fix) => readRule(fix.replace(/\.$/, '')) ?? []) ?? [];
  const unmet = new Set(revision?.unmet);
  const fromCriteria = criteria.flatMap(({ id, text }) => (unmet.has(id) ? (readRule(text) ?? []) : []));
  const named = [...fromFixes, ...fromCriteria].flatMap((rule) =>
    rule.kind === 'mentions' ? rule.texts : [],
  );
  // What an earlier round could not find is still not there, and is still to be said.
  const said = [...(revision?.draft.matchAll(/About (.+?) I find nothing/g) ?? [])].map(
    ([, what = '']) => what,
  );
  const forbidden = demands.flatMap((rule) => (rule.kind === 'omits' ? rule.texts : []));
  return [...new Set([...said, ...named])].filter((text) => !forbidden.includes(text));
}

function choose(prompt: Prompt, wanted: string[]): Unit[] {
  const { asks, passages, revision, guidance, directive } = prompt;
  const question = asks.subject || directive;
  // A review that names nothing to be done gives no reason to look elsewhere.
  const further = wanted.length > 0 || (revision?.fixes.length ?? 0) > 0;
  // Where nothing but questions bears on it, a question is better than nothing said.
  const ranked = rank(passages, question);
  const statements = ranked.filter(({ passage }) => !asksBack(passage));
  const all = statements.length > 0 ? statements : ranked;
  const found = withoutEchoes(all.filter(({ coverage }) => coverage >= BEARS / (further ? 2 : 1)));
  const best = found[0]?.score ?? 0;
  const near = found.filter(({ score }) => score >= best * (further ? FURTHER : BESIDE_BEST));
  // What was right stays: a revision keeps what the draft before it quoted, and adds what the review names.
  const named = revision ? namedBy(passages, [...revision.fixes, revision.draft], wanted) : [];
  const guided = passages.length > 0 ? near.filter(({ passage }) => holdsQuoteOf(guidance, passage)) : [];
  const ordered = withoutEchoes(unique([...named, ...guided, ...near]));
  const number = asks.count?.number ?? null;
  if (number === null) {
    const limit = Math.max(USUAL_QUOTES, named.length);
    return inOrder(ordered.slice(0, limit)).map((item) => ({
      item,
      text: bestSentences(item.passage, question),
    }));
  }
  const units = ordered.flatMap((item) => pieces(item, further || near.length < number));
  return units.slice(0, number);
}

/** One unit for a passage, or one for each sentence when points are scarce. */
function pieces(item: Ranked, apart: boolean): Unit[] {
  const all = sentences(item.passage.text).filter((sentence) => !sentence.endsWith('?'));
  if (!apart || all.length === 0) return [{ item, text: clipWords(item.passage.text, LONGEST_QUOTE) }];
  return all.map((text) => ({ item, text }));
}

/** The passages that a review quotes, and those that hold what it misses. */
function namedBy(passages: Passage[], fixes: string[], wanted: string[]): Ranked[] {
  const quotedOnes = passages
    .map((passage, at): Ranked => ({ passage, at, score: 1, coverage: 1 }))
    .filter(({ passage }) => fixes.some((fix) => holdsQuoteOf(fix, passage)));
  const holding = wanted.flatMap((what) =>
    rank(passages, what)
      .filter(({ coverage }) => coverage > 0.5)
      .slice(0, 1),
  );
  return unique([...quotedOnes, ...holding]);
}

function holdsQuoteOf(text: string, { text: said }: Passage): boolean {
  const whole = plain(said);
  return [...text.matchAll(/“([^”]{4,2000})”/g)].some(([, quote = '']) =>
    // A quotation may leave something out.
    quote.split('…').every((part) => whole.includes(plain(part))),
  );
}

function unique(items: Ranked[]): Ranked[] {
  const seen = new Set<number>();
  return items.filter(({ at }) => !seen.has(at) && seen.add(at));
}

function inOrder(items: Ranked[]): Ranked[] {
  return [...items].sort((a, b) => a.at - b.at);
}

function bestSentences(
  passage: Passage,
  question: string,
  longest = LONGEST_QUOTE,
  most = BEST_SENTENCES,
): string {
  if (words(passage.text).length <= longest) return passage.text.replaceAll(/\s+/g, ' ');
  const parts = sentences(passage.text).map((text) => ({ ...passage, text }));
  const chosen = rank(parts, question).slice(0, most);
  const text = inOrder(chosen)
    .map((item) => item.passage.text)
    .join(' … ');
  return clipWords(text || (parts[0]?.text ?? passage.text), LONGEST_QUOTE);
}

/** Leaves out the weakest quotations until every limit is kept; a single one is cut to length. */
function fitted(prompt: Prompt, units: Unit[], wanted: string[], demands: Rule[]): string {
  const limits = demands.filter((rule) => rule.kind === 'amount' && rule.max !== null);
  const form = demands.find((rule) => rule.kind === 'form')?.form ?? null;
  const plan: Plan = { all: units, wanted, form };
  let kept = units;
  for (;;) {
    const text = written(prompt, kept, plan);
    if (limits.every((rule) => isKept(rule, text))) return text;
    if (kept.length > 1) {
      const weakest = kept.reduce((low, unit) => (unit.item.score <= low.item.score ? unit : low));
      kept = kept.filter((unit) => unit !== weakest);
      continue;
    }
    return cut(prompt, kept, limits, plan);
  }
}

/** A last quotation that is too long by itself: its best sentence, then that one's beginning. */
function cut(prompt: Prompt, units: Unit[], limits: Rule[], { form }: Plan): string {
  const [unit] = units;
  const plan: Plan = { all: units, wanted: [], form };
  const whole = written(prompt, units, plan);
  if (!unit) return form === null ? shortest(limits) : whole;
  const best = bestSentences(unit.item.passage, prompt.asks.subject, 0, 1);
  for (let length = words(best).length; length >= FEWEST_WORDS; length -= 1) {
    const text = written(prompt, [{ ...unit, text: clipWords(best, length) }], plan);
    if (limits.every((rule) => isKept(rule, text))) return text;
  }
  const bare = shortest(limits, best);
  return form === null ? bare : whole;
}

/** Within the tightest of limits not even who said it has room. */
function shortest(limits: Rule[], text = 'I find nothing.'): string {
  for (let length = words(text).length; length > 0; length -= 1) {
    const part = text.split(/\s+/).slice(0, length).join(' ');
    if (limits.every((rule) => isKept(rule, part))) return part;
  }
  return text;
}

function written(prompt: Prompt, units: Unit[], { all, wanted, form }: Plan): string {
  const { asks } = prompt;
  const found = all.map(({ text }) => text).join('\n');
  const quotes = units.map(({ item, text }) => quoted(item.passage, text, 'person'));
  const missing = wanted.filter((what) => !mentions(found, what));
  const remarks = [
    ...(quotes.length === 0 ? [nothing(prompt)] : []),
    ...shortage(asks.count, quotes.length, all.length),
    ...missing.map((what) => `About ${what} I find nothing in what I was given.`),
  ];
  switch (form ?? (asks.count ? 'numbers' : null)) {
    case 'json': {
      const name = asks.count ? 'points' : 'quotes';
      return JSON.stringify({ [name]: quotes, ...(remarks.length > 0 ? { remarks } : {}) });
    }
    case 'numbers':
      return [...quotes.map((quote, at) => `${String(at + 1)}. ${quote}`), ...remarks].join('\n');
    case 'bullets':
      return [...quotes.map((quote) => `- ${quote}`), ...remarks].join('\n');
    case 'table':
      return [
        '| What was said |',
        '| --- |',
        ...quotes.map((quote) => `| ${quote.replaceAll('|', '\\|')} |`),
        '',
        ...remarks,
      ]
        .join('\n')
        .trim();
    case null:
      return [...quotes, ...remarks].join('\n');
  }
}

function nothing({ directive }: Prompt): string {
  return `I find nothing in what I was given that bears on ${quoteOf(clipWords(directive, 20).replace(/[.!]+$/, ''))}. ${WHAT_I_AM}`;
}

function shortage(count: Prompt['asks']['count'], given: number, found: number): string[] {
  if (!count || given === 0 || given >= count.number) return [];
  const of = `${String(given)} of the ${String(count.number)} ${count.noun}`;
  if (found > given) return [`Within the limit there is room for only ${of}.`];
  return [`I find only ${of} in what I was given.`];
}

function isKept(rule: Rule, text: string): boolean {
  return check(rule, text, mentions).met;
}

function quoteOf(text: string): string {
  return `“${text.replaceAll(/\s+/g, ' ').trim().replaceAll(/[“”]/g, '"')}”`;
}
