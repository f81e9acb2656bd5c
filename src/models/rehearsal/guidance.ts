import { BEARS } from './answer.ts';
import { quoted } from './passages.ts';
import type { Prompt } from './prompt.ts';
import { asksBack, rank, withoutEchoes } from './relevance.ts';
import { formName, type Rule } from './rules.ts';
import { clipWords } from './words.ts';

const QUOTES = 2;
const LONGEST_DIRECTIVE = 50;
const LONGEST_QUOTE = 25;

/** What is asked for, part by part, what can be counted about it, and what of the memory bears on it. */
export function guidance({ asks, criteria, directive, passages }: Prompt): string {
  const lines = [
    `The person ${asks.questions.length > 0 ? 'asks' : 'tells'}: ${clipWords(directive, LONGEST_DIRECTIVE)}`,
  ];
  if (asks.questions.length > 1)
    lines.push(`That is ${String(asks.questions.length)} questions: answer each.`);
  if (asks.count) lines.push(`Give ${String(asks.count.number)} ${asks.count.noun}, as a numbered list.`);
  for (const limit of asks.limits) lines.push(limitText(limit));
  if (asks.form !== null) lines.push(`Write it as ${formName(asks.form)}.`);
  if (criteria.length > 0) {
    lines.push(`Criteria: ${criteria.map(({ id, text }) => `${id} (${clipWords(text, 15)})`).join('; ')}.`);
  }
  const question = asks.subject || directive;
  const found = withoutEchoes(rank(passages, question).filter(({ coverage }) => coverage >= BEARS));
  if (found.length > 0) {
    const statements = found.filter(({ passage }) => !asksBack(passage));
    const quotes = (statements.length > 0 ? statements : found)
      .slice(0, QUOTES)
      .map(({ passage }) => quoted(passage, clipWords(passage.text, LONGEST_QUOTE), 'colleague'));
    lines.push('This bears on it:', ...quotes);
  } else if (asks.questions.length > 0 && asks.exact === null) {
    lines.push('Nothing that we were given bears on it: say so rather than guess.');
  }
  const easy = asks.count
    ? `stopping before all ${String(asks.count.number)} ${asks.count.noun} are there`
    : 'answering beside the question';
  lines.push(`Easily done wrong: ${easy}, and claiming what nobody has said.`);
  return lines.join('\n');
}

function limitText({ unit, min, max }: Extract<Rule, { kind: 'amount' }>): string {
  if (min !== null && min === max) return `Write exactly ${String(min)} ${unit}.`;
  if (max !== null) return `Write at most ${String(max)} ${unit}.`;
  return `Write at least ${String(min ?? 1)} ${unit}.`;
}
