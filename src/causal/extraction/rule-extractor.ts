import type { TurnRecord } from '../../store/records.ts';
import { MOST_EVENTS, speakerOf, type Extraction, type Extractor } from './extractor.ts';

/** How sure the rule is of a link that a sentence states in so many words. */
const STATED = 0.6;

/** Something was decided, changed, broke, or came out in some way. The past: what might be is no event. */
const HAPPENED =
  /\b(?:decided|chose|agreed|changed|switched|replaced|removed|deleted|dropped|added|introduced|set up|installed|deployed|released|shipped|launched|migrated|merged|moved|started|began|stopped|quit|cancel(?:l)?ed|postponed|failed|crashed|broke|lost|leaked|corrupted|went (?:down|wrong)|ran out|fell|fixed|repaired|solved|recovered|restored|rolled back|prevented|won|finished|completed|passed|skipped|forgot|missed|hired|fired|bought|sold|booked|signed|moved out|moved in)\b/iu;

/** Ways of saying that one thing led to another, and which side is the cause. */
const CONNECTIVES: { pattern: RegExp; causeFirst: boolean }[] = [
  {
    pattern: /^(.{8,}?),?\s+(?:which|that|this)\s+(?:led to|caused|resulted in)\s+(.{4,})$/iu,
    causeFirst: true,
  },
  { pattern: /^(.{8,}?)\s+(?:led to|caused|resulted in)\s+(.{4,})$/iu, causeFirst: true },
  { pattern: /^(.{8,}?),?\s+(?:and so|so|after which|therefore|as a result)\s+(.{8,})$/iu, causeFirst: true },
  { pattern: /^(?:because|since|as)\s+(.{8,}?),\s+(.{8,})$/iu, causeFirst: true },
  {
    pattern: /^(.{8,}?),?\s+(?:because of|because|due to|thanks to|as a result of)\s+(.{4,})$/iu,
    causeFirst: false,
  },
];

/**
 * The reader of the rehearsal model, which is a rule and says so: sentences in which a person tells that something was
 * decided, changed, failed or came out in some way; and sentences that join two things by because, so, led to, after
 * which, which become two events with a link. Questions and what agents answer are not read.
 */
export const ruleExtractor: Extractor = Object.freeze({
  recordedBy: 'rule' as const,
  extract: (turns: TurnRecord[]) => Promise.resolve(extract(turns)),
});

function extract(turns: TurnRecord[]): Extraction {
  const extraction: Extraction = { events: [], links: [] };
  for (const turn of turns) {
    if (turn.agent !== 'wykeve') continue;
    for (const sentence of sentencesOf(turn.content)) {
      if (extraction.events.length >= MOST_EVENTS) return extraction;
      read(sentence, turn, extraction);
    }
  }
  return extraction;
}

function read(sentence: string, turn: TurnRecord, { events, links }: Extraction): void {
  const add = (text: string) => events.push({ text: plain(text), turn, actor: speakerOf(turn) }) - 1;
  const stated = statedLink(sentence);
  if (stated && events.length + 2 <= MOST_EVENTS) {
    const cause = add(stated.cause);
    const effect = add(stated.effect);
    links.push({ cause, effect, relation: 'caused', confidence: STATED, explanation: 'it was told so' });
  } else if (HAPPENED.test(sentence)) add(sentence);
}

function statedLink(sentence: string): { cause: string; effect: string } | null {
  for (const { pattern, causeFirst } of CONNECTIVES) {
    const [, first, second] = pattern.exec(sentence) ?? [];
    if (first === undefined || second === undefined) continue;
    return causeFirst ? { cause: first, effect: second } : { cause: second, effect: first };
  }
  return null;
}

function sentencesOf(text: string): string[] {
  return text
    .split(/(?<=[.!?…])\s+|\n+/u)
    .map((sentence) => sentence.trim())
    .filter((sentence) => sentence !== '' && !sentence.endsWith('?') && sentence.length <= 400);
}

function plain(text: string): string {
  return text
    .replaceAll(/\s+/g, ' ')
    .trim()
    .replace(/[.!,;]+$/, '');
}
