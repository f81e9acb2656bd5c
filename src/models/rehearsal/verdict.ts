import { analyseQuery } from '../../text/analyse.ts';
import { BEARS } from './answer.ts';
import { isOwnWord, quoted } from './passages.ts';
import type { ListedText, Prompt } from './prompt.ts';
import { asksBack, mentions, rank, sharedTerms, withoutEchoes } from './relevance.ts';
import { ADMITS, check, pointsOf, readRule } from './rules.ts';
import { clipWords, lastWords, numberOf, plain, sentences } from './words.ts';

interface Issue {
  id: string;
  severity: 'blocker' | 'major' | 'minor';
  where: string;
  fix: string;
}

interface Judged {
  id: string;
  met: 'yes' | 'no' | 'unknown';
  evidence: string;
}

/** Longest quotation of a draft, and of memory in a fix, in words. */
const PLACE = 12;
const QUOTE = 40;
/** A check that a draft must pass and has not, or one that is only told. */
const CHECK = /^- (\w+): (FAILED|NOTED)\. (.*)$/gm;
/** A question of fewer telling words cannot be told from its neighbours by them. */
const TELLING = 2;
/** Where a first answer says that there is nothing, this share of the question is enough to contradict it. */
const CONTRADICTS = 0.35;

/**
 * A review by what can be counted and looked up: emptiness, checks that failed, points asked for and given, limits,
 * form, criteria that are rules, questions without an answer, and memory that bears on the question and was left out.
 * What takes judgement is answered with `unknown` and left to the person. The decision is the sum of it, never an impression.
 */
export function verdict(prompt: Prompt): string {
  const draft = prompt.section('draft');
  const criteria = prompt.criteria.map((criterion) => judge(criterion, draft));
  const issues = draft.trim() === '' ? [empty()] : faults(prompt, draft, criteria);
  const found = new Set(issues.map(({ id }) => id));
  const before = [...prompt.section('issues').matchAll(/^- (\S+) \((\w+)\) where: (.*?) fix: (.*)$/gm)];
  const standing = before.flatMap(([, id = '', severity = '', where = '', fix = '']): Issue[] => {
    if (found.has(id) || isOurs(id) || fixSeems(fix, draft)) return [];
    return [{ id, severity: severity as Issue['severity'], where, fix }];
  });
  const all = [...issues, ...standing];
  const open = new Set(all.map(({ id }) => id));
  const serious = all.find(({ severity }) => severity !== 'minor');
  const unmet = serious !== undefined || criteria.some(({ met }) => met === 'no');
  // What it cannot judge is the person's: another draft would be no easier to judge.
  const toBeJudged = criteria.some(({ met }) => met === 'unknown');
  return JSON.stringify({
    decision: unmet ? 'revise' : toBeJudged ? 'ask_person' : 'approve',
    issues: all,
    resolved: before.map(([, id = '']) => id).filter((id) => !open.has(id)),
    criteria,
    lesson: serious ? lessonOf(serious) : null,
  });
}

function empty(): Issue {
  return { id: 'empty', severity: 'blocker', where: 'the whole draft', fix: 'Write an answer.' };
}

function faults(prompt: Prompt, draft: string, criteria: Judged[]): Issue[] {
  const { asks } = prompt;
  const end = `the end: ${place(lastWords(draft, PLACE))}`;
  const start = `the beginning: ${place(clipWords(draft, PLACE))}`;
  const issues: Issue[] = [];
  const add = (id: string, severity: Issue['severity'], where: string, fix: string) =>
    issues.push({ id, severity, where, fix });

  for (const [, name = '', verdict = '', detail = ''] of prompt.section('checks').matchAll(CHECK)) {
    add(`check-${name}`, verdict === 'FAILED' ? 'major' : 'minor', start, detail);
  }
  // Where there is a limit, what does not fit is rightly left out.
  const limited = /\broom for only\b/.test(draft) && asks.limits.some(({ max }) => max !== null);
  const unused = limited ? [] : unusedMemory(prompt, draft);
  if (asks.count) {
    const given = ADMITS.test(draft)
      ? pointsOf(draft).filter((point) => !ADMITS.test(point)).length
      : pointsOf(draft).length;
    const fault = countFault(asks.count, given, draft, unused);
    if (fault) add('points', fault.severity, end, fault.fix);
  } else if (saysNothing(draft) && unused.length > 0) {
    add('unused-memory', 'major', start, `Use what was given: ${unused[0] ?? ''}`);
  }
  for (const limit of asks.limits) {
    const found = check(limit, draft, mentions);
    if (!found.met) add(`length-${limit.unit}`, 'major', end, `${capital(found.evidence)}. ${found.fix}`);
  }
  if (asks.form !== null) {
    const found = check({ kind: 'form', form: asks.form }, draft, mentions);
    if (!found.met) add('form', 'major', start, found.fix);
  }
  if (asks.exact !== null && !plain(draft).includes(plain(asks.exact))) {
    add('exact', 'major', start, `Say “${asks.exact}”.`);
  }
  asks.questions.forEach((question, at) => {
    if (asks.exact !== null || analyseQuery(question).length < TELLING || ADMITS.test(draft)) return;
    if (sharedTerms(draft, question) > 0) return;
    const id = asks.questions.length > 1 ? `question-${String(at + 1)}` : 'off-topic';
    add(id, 'major', start, `Answer the question: “${clipWords(question, QUOTE)}”`);
  });
  for (const { id, met, evidence } of criteria) {
    if (met !== 'no') continue;
    const rule = readRule(prompt.criteria.find((criterion) => criterion.id === id)?.text ?? '');
    const fix = rule ? check(rule, draft, mentions).fix : evidence;
    add(`criterion-${id}`, 'major', end, fix);
  }
  return issues;
}

/** Words of the draft in quotation marks: its own would end them too early. */
function place(text: string): string {
  return `“${text.replaceAll(/[“”]/g, '"')}”`;
}

function countFault(
  count: { number: number; noun: string },
  given: number,
  draft: string,
  unused: string[],
): Pick<Issue, 'severity' | 'fix'> | null {
  const lacking = count.number - given;
  const asked = `${String(count.number)} ${count.noun} were asked for, ${String(given)} given.`;
  if (lacking === 0) return null;
  if (lacking < 0) return { severity: 'major', fix: `${asked} Leave out ${String(-lacking)}.` };
  if (unused.length > 0) {
    return { severity: 'major', fix: `${asked} Add what was given: ${unused.slice(0, lacking).join(' ')}` };
  }
  // There is nothing more to be had, and the draft says so: that is no fault of the draft.
  if (ADMITS.test(draft)) return { severity: 'minor', fix: `${asked} Ask the person for more to go on.` };
  return { severity: 'major', fix: `${asked} Give the others, or say that no more can be found.` };
}

/** What was given, bears on the question, and is not in the draft: as quotations. */
function unusedMemory({ asks, passages, directive }: Prompt, draft: string): string[] {
  const question = asks.subject || directive;
  const least = saysNothing(draft) && !asks.count ? CONTRADICTS : BEARS;
  const found = rank(passages, question).filter(
    ({ coverage, passage }) => coverage >= least && !isOwnWord(passage) && !asksBack(passage),
  );
  return withoutEchoes(found)
    .filter(({ passage }) => !isIn(draft, passage.text))
    .slice(0, Math.max(1, asks.count?.number ?? 1))
    .map(({ passage }) => quoted(passage, clipWords(passage.text, QUOTE), 'colleague'));
}

function isIn(draft: string, text: string): boolean {
  const whole = plain(draft);
  return sentences(text).some((sentence) =>
    whole.includes(plain(sentence).split(' ').slice(0, PLACE).join(' ')),
  );
}

function saysNothing(draft: string): boolean {
  return /^I find nothing\b/.test(draft.trim());
}

/** By its rule when it states one, else by whether the draft holds all its telling words; what is left is unknown. */
function judge({ id, text }: ListedText, draft: string): Judged {
  const rule = readRule(text);
  if (rule) {
    const { met, evidence } = check(rule, draft, mentions);
    return { id, met: met ? 'yes' : 'no', evidence: capital(evidence) };
  }
  const telling = analyseQuery(text);
  if (telling.length >= TELLING && mentions(draft, text)) {
    return { id, met: 'yes', evidence: `Its words are in the draft: “${clipWords(draft, PLACE)}”` };
  }
  return {
    id,
    met: 'unknown',
    evidence: 'Whether this is met takes judgement; ccc-rehearsal only counts and looks up.',
  };
}

/** Issues that this reviewer names itself: not found again, they are settled. */
function isOurs(id: string): boolean {
  return /^(?:empty|points|form|exact|off-topic|unused-memory|length-\w+|question-\d+|check-\w+|criterion-.+)$/.test(
    id,
  );
}

/** For an issue that someone else has named: whether the draft holds the words of what was to be done. */
function fixSeems(fix: string, draft: string): boolean {
  const wanted = [...fix.matchAll(/[“"]([^”"]+)[”"]/g)].map(([, text = '']) => text);
  return wanted.length > 0 ? wanted.every((text) => mentions(draft, text)) : mentions(draft, fix);
}

function lessonOf({ id, fix }: Issue): string {
  const asked = /^(\w+) (\w+) were asked for/.exec(fix);
  if (id === 'points' && asked?.[1])
    return `Count before answering: ${String(numberOf(asked[1]))} ${asked[2] ?? ''} asked for means as many given.`;
  if (id === 'unused-memory')
    return 'Before saying that nothing is known, look through everything that was given.';
  return `Before answering, see to this: ${clipWords(fix, QUOTE)}`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
