import { analyse, analyseQuery } from '../../text/analyse.ts';

/** A piece of the prompt that may bear on a question, with who said it and when, as far as the prompt tells. */
export interface Passage {
  text: string;
  who: string | null;
  when: string | null;
}

/** A remembered turn as the context writes it: `[2023-05-08 13:56] Caroline: text`. */
const REMEMBERED = /^\[(\d{4}-\d{2}-\d{2}) \d{2}:\d{2}\] ([^:\n]{1,80}): /;
/** Smallest share of the question's weight that a passage must carry to be quoted. */
const RELEVANT = 0.34;

/** Smallest share of the question's words that it must hold. */
const FEWEST_WORDS = 0.25;

/** The remembered turns in a memory section. */
export function passagesOfMemory(memory: string): Passage[] {
  const passages: Passage[] = [];
  for (const line of memory.split('\n')) {
    const match = REMEMBERED.exec(line);
    if (match) {
      passages.push({ text: line.slice(match[0].length), who: match[2] ?? null, when: match[1] ?? null });
    } else if (passages.length > 0 && line.trim() !== '' && !line.startsWith('— ')) {
      // A turn of several lines goes on.
      const last = passages[passages.length - 1];
      if (last) last.text += `\n${line}`;
    }
  }
  return passages;
}

export interface Weighed extends Passage {
  /** Share of the question's weight that the passage carries, 0 to 1. */
  weight: number;
}

/** The passages that bear on a question, best first: by the question's words in them, rare words counting more. */
export function relevant(question: string, passages: Passage[]): Weighed[] {
  const terms = analyseQuery(question);
  if (terms.length === 0 || passages.length === 0) return [];
  const analysed = passages.map(
    (passage) => new Set(analyse(`${passage.who ?? ''} ${passage.text}`).terms.map(([term]) => term)),
  );
  const weights = new Map(
    terms.map((term) => {
      const holders = analysed.filter((held) => held.has(term)).length;
      // A word that nobody has said tells the passages not apart.
      if (holders === 0) return [term, 0];
      return [term, Math.log(1 + (passages.length - holders + 0.5) / (holders + 0.5))];
    }),
  );
  const total = [...weights.values()].reduce((sum, weight) => sum + weight, 0);
  return passages
    .map((passage, at) => {
      const held = analysed[at];
      const share = terms.filter((term) => held?.has(term)).length / terms.length;
      const weight =
        share < FEWEST_WORDS
          ? 0
          : terms.reduce((sum, term) => sum + (held?.has(term) ? (weights.get(term) ?? 0) : 0), 0);
      return { ...passage, weight: total > 0 ? weight / total : 0 };
    })
    .filter(({ weight, text }) => weight >= RELEVANT && !sameText(text, question))
    .sort((a, b) => b.weight - a.weight);
}

/** The sentences of a text. */
export function sentencesOf(text: string): string[] {
  return text
    .split(/(?<=[.!?…。！？])\s+|\n+/u)
    .map((sentence) => sentence.trim())
    .filter((sentence) => sentence !== '');
}

/** A passage as it is quoted in an answer. */
export function quoted({ text, who, when }: Passage): string {
  const quote = `“${text.replaceAll(/\s+/g, ' ').trim()}”`;
  if (who === null) return quote;
  return `${when === null ? '' : `On ${when} `}${who} said: ${quote}`;
}

function sameText(a: string, b: string): boolean {
  const plain = (text: string) =>
    text
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}]+/gu, ' ')
      .trim();
  return plain(a) === plain(b);
}
