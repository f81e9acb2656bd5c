import { analyse } from '../../text/analyse.ts';
import { isOwnWord, quoted, turnPassages, type Passage } from './passages.ts';
import type { Prompt } from './prompt.ts';
import { NUMBER, numberOf, plain, sentences, words } from './words.ts';

/** Longest summary when the prompt names no limit, in words. */
const USUAL_LIMIT = 250;
/** A sentence of fewer words ("Sounds good!") carries nothing by itself. */
const FEWEST_WORDS = 4;
/** Two sentences that share this much of their terms say the same. */
const SAME = 0.7;

interface Candidate {
  at: number;
  line: string;
  words: number;
  terms: Set<string>;
  score: number;
}

/**
 * A summary made of the most central sentences, each with who said it: those that share most with the others, rare
 * words counting more, without repeating each other, in the order they were said. A summary that stood before is kept
 * as far as there is room.
 */
export function summary(prompt: Prompt, instructions: string): string {
  const limit = limitOf(instructions);
  const before = prompt.section('summary').trim();
  const old = turnPassages(before).map((passage): Passage => ({ ...passage, source: 'summary' }));
  let room = limit;
  const chosen: Candidate[] = [];
  for (const candidate of ranked([...old, ...turnPassages(prompt.section('turns'))])) {
    if (candidate.words > room || chosen.some((other) => overlap(other.terms, candidate.terms) >= SAME))
      continue;
    chosen.push(candidate);
    room -= candidate.words;
  }
  const lines = chosen.sort((a, b) => a.at - b.at).map(({ line }) => line);
  return lines.length > 0 ? lines.join('\n') : 'Nothing of substance was said.';
}

function limitOf(instructions: string): number {
  const found = new RegExp(`\\bat most ${NUMBER} words\\b`, 'i').exec(instructions);
  return found?.[1] ? numberOf(found[1]) : USUAL_LIMIT;
}

function ranked(passages: Passage[]): Candidate[] {
  const seen = new Set<string>();
  const candidates = passages.flatMap((passage) => {
    // A line of an earlier summary stands as it is; it already says who said it.
    const texts = passage.source === 'summary' ? [passage.text] : sentences(passage.text);
    return texts.map((text) => ({
      text,
      line: passage.source === 'summary' ? text : quoted(passage, text, 'colleague'),
      weight: isOwnWord(passage) || text.endsWith('?') ? 0.5 : 1,
    }));
  });
  const analysed = candidates
    .filter(
      ({ text }) => words(text).length >= FEWEST_WORDS && !seen.has(plain(text)) && seen.add(plain(text)),
    )
    .map((candidate) => ({
      ...candidate,
      terms: new Set(analyse(candidate.text).terms.map(([term]) => term)),
    }));
  const spread = new Map<string, number>();
  for (const { terms } of analysed) for (const term of terms) spread.set(term, (spread.get(term) ?? 0) + 1);
  return analysed
    .map(({ line, terms, weight }, at): Candidate => {
      const shared = [...terms].reduce((sum, term) => {
        const holders = spread.get(term) ?? 1;
        return sum + (holders > 1 ? Math.log(1 + analysed.length / holders) : 0);
      }, 0);
      return {
        at,
        line,
        words: words(line).length,
        terms,
        score: (weight * (1 + shared)) / Math.sqrt(terms.size + 1),
      };
    })
    .sort((a, b) => b.score - a.score || a.at - b.at);
}

function overlap(a: Set<string>, b: Set<string>): number {
  const shared = [...a].filter((term) => b.has(term)).length;
  return shared / Math.max(1, Math.min(a.size, b.size));
}
