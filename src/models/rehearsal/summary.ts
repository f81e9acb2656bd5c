import { analyse } from '../../text/analyse.ts';
import { readSection } from '../../text/sections.ts';
import { countWords } from './demands.ts';
import type { PromptParts } from './prompt-parts.ts';

/** Words of a rehearsed summary. */
const LONGEST = 200;

/** The old summary and the most telling turns, word for word: those that share the most with the others. */
export function summary({ whole }: PromptParts): string {
  const before = readSection(whole, 'summary') ?? '';
  const turns = (readSection(whole, 'turns') ?? '').split('\n').filter((line) => line.trim() !== '');
  const analysed = turns.map((line) => analyse(line).terms.map(([term]) => term));
  const spread = new Map<string, number>();
  for (const terms of analysed) for (const term of terms) spread.set(term, (spread.get(term) ?? 0) + 1);
  const ranked = turns
    .map((line, at) => ({ line, at, weight: centrality(analysed[at] ?? [], spread, turns.length) }))
    .sort((a, b) => b.weight - a.weight);
  const kept: typeof ranked = [];
  let words = countWords(before);
  for (const entry of ranked) {
    words += countWords(entry.line);
    if (words > LONGEST && kept.length > 0) break;
    kept.push(entry);
  }
  const lines = kept.sort((a, b) => a.at - b.at).map(({ line }) => line);
  return JSON.stringify({
    summary: [before, ...lines].filter((text) => text.trim() !== '').join('\n') || '(nothing was said)',
  });
}

/** Terms that several turns share, and not all of them, make a turn central. */
function centrality(terms: string[], spread: Map<string, number>, turns: number): number {
  const shared = terms.reduce((sum, term) => {
    const count = spread.get(term) ?? 0;
    return sum + (count > 1 ? Math.log(1 + turns / count) : 0);
  }, 0);
  return shared / Math.sqrt(terms.length + 1);
}
