import { readSection } from '../../text/sections.ts';
import { demandsOf } from './demands.ts';
import { quoted, relevant } from './passages.ts';
import type { PromptParts } from './prompt-parts.ts';

/** What is asked for, what can be counted about it, and what of the memory bears on it. */
export function guidance({ question, passages, whole }: PromptParts): string {
  const demands = demandsOf(question);
  const lines = [`The person asks: ${question.replaceAll(/\s+/g, ' ').trim()}`];
  if (demands.points !== null)
    lines.push(`Give exactly ${String(demands.points)} points, as a numbered list.`);
  if (demands.maxWords !== null) lines.push(`Write at most ${String(demands.maxWords)} words.`);
  const criteria = readSection(whole, 'criteria');
  if (criteria !== null) lines.push(`Every criterion has to be met:\n${criteria}`);
  const [best] = relevant(question, passages);
  lines.push(
    best
      ? `From memory this bears on it: ${quoted(best)}`
      : 'Nothing in the memory bears on it: say so rather than guess.',
  );
  return lines.join('\n');
}
