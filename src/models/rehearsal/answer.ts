import { readSection } from '../../text/sections.ts';
import { contains, countWords, demandsOf, type Demands } from './demands.ts';
import { quoted, relevant, sentencesOf, type Passage, type Weighed } from './passages.ts';
import type { PromptParts } from './prompt-parts.ts';

/** Passages that are quoted when no number is asked for. */
const USUAL_QUOTES = 3;

const QUESTION =
  /\?\s*$|^\s*(?:please\s+)?(?:who|what|when|where|which|whose|why|how|is|are|was|were|do|does|did|can|could|should|would|will|has|have|list|give|name|tell|write|explain|describe|summari[sz]e|compare|suggest|find|show|make|draft|plan|help|validate|check)\b/iu;

/** An answer from the prompt and nothing else: quoted, attributed, and plain about what was not found. */
export function answer(prompt: PromptParts): string {
  const { question, passages, revision } = prompt;
  const demands = demandsOf(question);
  const found = relevant(question, passages);
  const first = compose(question, found, demands);
  return revision ? revise(first, prompt, revision.request, demands) : first;
}

function compose(question: string, found: Weighed[], demands: Demands): string {
  if (found.length === 0) {
    return QUESTION.test(question)
      ? 'I find nothing about this in what I was given. I am the rehearsal model: I can only quote what was said before.'
      : `Noted: ${question.replaceAll(/\s+/g, ' ').trim()}`;
  }
  if (demands.points !== null) return asPoints(found, demands.points);
  const quotes = distinct(found).slice(0, USUAL_QUOTES).map(quoted);
  return QUESTION.test(question)
    ? quotes.join('\n')
    : `Noted: ${question.replaceAll(/\s+/g, ' ').trim()}\nThis goes with what was said before. ${quotes[0] ?? ''}`;
}

/** One sentence a point, from as many passages as it takes; says so when there are not enough. */
function asPoints(found: Weighed[], wanted: number): string {
  const points = distinct(
    found.flatMap((passage) => sentencesOf(passage.text).map((text): Weighed => ({ ...passage, text }))),
  ).slice(0, wanted);
  const lines = points.map((point, at) => `${String(at + 1)}. ${quoted(point)}`);
  if (points.length < wanted) {
    lines.push(`I find only ${String(points.length)} of the ${String(wanted)} points in what I was given.`);
  }
  return lines.join('\n');
}

/** Does what a review asked for, as far as words can be added or left out. */
function revise(draft: string, prompt: PromptParts, request: string, asked: Demands): string {
  const texts = [
    readSection(prompt.whole, 'criteria') ?? '',
    readSection(request, 'issues') ?? '',
    readSection(request, 'criteria') ?? '',
  ].join('\n');
  const demands = demandsOf(texts);
  let revised = draft;
  for (const wanted of demands.mentions) {
    if (contains(revised, wanted)) continue;
    const [about] = relevant(wanted, prompt.passages);
    revised += `\nAbout ${wanted}: ${about ? quoted(about) : 'I was told nothing.'}`;
  }
  for (const unwanted of demands.avoids) revised = without(revised, unwanted);
  const limit = Math.min(demands.maxWords ?? Infinity, asked.maxWords ?? Infinity);
  return Number.isFinite(limit) ? shortened(revised, limit) : revised;
}

/** The text without the sentences that hold a word. */
function without(text: string, unwanted: string): string {
  return text
    .split('\n')
    .map((line) =>
      sentencesOf(line)
        .filter((sentence) => !contains(sentence, unwanted))
        .join(' '),
    )
    .filter(Boolean)
    .join('\n');
}

/** As many words from the beginning as are allowed. */
function shortened(text: string, words: number): string {
  if (countWords(text) <= words) return text;
  let kept = '';
  for (const part of text.split(/(?<=\s)/u)) {
    if (countWords(kept + part) > words) break;
    kept += part;
  }
  return kept.trim();
}

function distinct<T extends Passage>(passages: T[]): T[] {
  const seen = new Set<string>();
  return passages.filter(({ text }) => {
    const key = text.toLowerCase().replaceAll(/\s+/g, ' ').trim();
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}
