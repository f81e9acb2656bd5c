import { sentences } from './words.ts';

/** One thing that the prompt says, and who says it. */
export interface Passage {
  text: string;
  /** As the prompt names them; null when it does not. */
  speaker: string | null;
  /** The day, `2023-05-08`; null when unknown. */
  day: string | null;
  source: 'memory' | 'summary' | 'fact' | 'cause' | 'message' | 'directive' | 'instructions' | 'tool';
}

/** `[2023-05-08 13:56] Caroline: Hello` as memory and summaries write a turn. */
const TURN = /^\[(\d{4}-\d{2}-\d{2})[^\]]*\]\s+([^:]{1,80}):\s?(.*)$/;
const TITLE = /^—\s/;
/** What the person has said otherwise since: nothing to answer from. */
const SUPERSEDED = /^\[[^\]]*, superseded /;
/** What stands before a line that continues a turn, so that it cannot pass for an entry of its own. */
const CONTINUED = /^ {2}/;
/** `user: Hello` as the conversation before the directive is shown to the reviewer. */
const MESSAGE = /^(user|assistant|tool|system|developer): (.*)$/;

/** The passages of a memory section: its summaries, its causes, and the turns it shows. */
export function memoryPassages(memory: string): Passage[] {
  const passages: Passage[] = [];
  let source: Passage['source'] | null = null;
  let turn: Passage | null = null;
  let afterGap = true;
  for (const line of memory.split('\n')) {
    if (line.trim() === '') {
      afterGap = true;
      continue;
    }
    const said = TURN.exec(line);
    if (said) {
      turn = { text: said[3] ?? '', speaker: said[2] ?? null, day: said[1] ?? null, source: 'memory' };
      if (!SUPERSEDED.test(line)) passages.push(turn);
      source = 'memory';
    } else if (TITLE.test(line)) {
      turn = null;
    } else if (afterGap && /^\S.*:\s*$/.test(line)) {
      source = kindOf(line);
      turn = null;
    } else if (turn) {
      turn.text += `\n${line.replace(CONTINUED, '')}`;
    } else if (source !== null && source !== 'memory') {
      passages.push(...(source === 'fact' ? factOf(line) : standing(line, source)));
    }
    afterGap = false;
  }
  return passages;
}

/** What stands under a heading; null for what is no statement of fact (the agents' own state). */
function kindOf(heading: string): Passage['source'] | null {
  if (/^summary/i.test(heading)) return 'summary';
  if (/^facts\b/i.test(heading)) return 'fact';
  if (/\bled to\b|\bcause/i.test(heading)) return 'cause';
  if (/keep in mind/i.test(heading)) return null;
  return 'memory';
}

function standing(text: string, source: Passage['source']): Passage[] {
  return sentences(text).map((sentence) => ({ text: sentence, speaker: null, day: null, source }));
}

/** `- [since 2024-05-02] The person lives in Lyon.`; what held once is nothing to answer from. */
function factOf(line: string): Passage[] {
  const [, day, text] = /^- \[since (\d{4}-\d{2}-\d{2})\]\s(.+)$/.exec(line) ?? [];
  return day === undefined || text === undefined ? [] : [{ text, speaker: null, day, source: 'fact' }];
}

/** Turns and earlier summaries as the summariser is given them; lines that continue a turn stay with it. */
export function turnPassages(text: string): Passage[] {
  const passages: Passage[] = [];
  for (const line of text.split('\n')) {
    const said = TURN.exec(line);
    const last = passages.at(-1);
    if (said)
      passages.push({
        text: said[3] ?? '',
        speaker: said[2] ?? null,
        day: said[1] ?? null,
        source: 'memory',
      });
    else if (line.trim() === '') continue;
    else if (last && last.source === 'memory') last.text += `\n${line.replace(CONTINUED, '')}`;
    else
      passages.push({
        text: line.replace(/^Conversation \d+: /, ''),
        speaker: null,
        day: null,
        source: 'summary',
      });
  }
  return passages;
}

/** The conversation so far as the reviewer is shown it. */
export function conversationPassages(text: string): Passage[] {
  const passages: Passage[] = [];
  for (const line of text.split('\n')) {
    const said = MESSAGE.exec(line);
    const last = passages.at(-1);
    if (said) passages.push(messagePassage(said[1] ?? '', said[2] ?? ''));
    else if (last) last.text += `\n${line}`;
  }
  return passages;
}

/** What tools answered, as the reviewer is shown it: `→ text` after each call. */
export function toolPassages(text: string): Passage[] {
  return [...text.matchAll(/^→ (.+)$/gm)].map(([, said = '']) => messagePassage('tool', said));
}

export function messagePassage(role: string, text: string): Passage {
  if (role === 'tool' || role === 'function') return { text, speaker: null, day: null, source: 'tool' };
  if (role === 'system' || role === 'developer')
    return { text, speaker: null, day: null, source: 'instructions' };
  return { text, speaker: role === 'assistant' ? ASSISTANT : PERSON, day: null, source: 'message' };
}

export const PERSON = 'the person';
export const ASSISTANT = 'assistant';

/** Whether these are words of a model, not of a person. */
export function isOwnWord({ speaker }: Passage): boolean {
  return speaker !== null && /^(?:assistant|codey|beatrice)\b/i.test(speaker);
}

/** A quotation with who said it and when. `to` is who reads it: the person is "you" only to themselves. */
export function quoted(passage: Passage, text: string, to: 'person' | 'colleague'): string {
  const quote = `“${text.trim().replaceAll(/[“”]/g, '"')}”`;
  const when = passage.day === null ? '' : `On ${passage.day} `;
  const who = passage.speaker === PERSON ? (to === 'person' ? 'you' : PERSON) : (passage.speaker ?? '');
  switch (passage.source) {
    case 'memory':
      return capital(`${when}${isOwnWord(passage) ? 'the answer was' : `${who} said`}: ${quote}`);
    case 'message':
      return isOwnWord(passage) ? `Earlier the answer was: ${quote}` : `Earlier ${who} said: ${quote}`;
    case 'directive':
      return to === 'person' ? `You say: ${quote}` : `The directive says: ${quote}`;
    case 'summary':
      return `The summary says: ${quote}`;
    case 'fact':
      return `A fact since ${passage.day ?? 'some time'}: ${quote}`;
    case 'cause':
      return `What is known of causes: ${quote}`;
    case 'tool':
      return `The tool answered: ${quote}`;
    case 'instructions':
      return `The instructions say: ${quote}`;
  }
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
