import { readSection, type SectionName } from '../../text/sections.ts';
import { textOf } from '../chat-result.ts';
import type { ChatMessage } from '../chat-types.ts';
import { readAsks, type Asks } from './asks.ts';
import {
  conversationPassages,
  memoryPassages,
  messagePassage,
  toolPassages,
  type Passage,
} from './passages.ts';

export interface ListedText {
  id: string;
  text: string;
}

/** What went before a revision. */
export interface Revision {
  /** The draft that was reviewed. */
  draft: string;
  /** What has to be done, one sentence for each issue, failed check and the person's word. */
  fixes: string[];
  /** Criteria that were not met. */
  unmet: string[];
}

/** A prompt as the rehearsal model reads it. */
export interface Prompt {
  /** Which part of a cycle is asked for; null for an ordinary chat. */
  role: string | null;
  /** What the person asks. */
  directive: string;
  asks: Asks;
  /** All that it may answer from, in the prompt's order. */
  passages: Passage[];
  criteria: ListedText[];
  guidance: string;
  revision: Revision | null;
  /** Any section of the prompt by name; empty when it is not there. */
  section: (name: SectionName) => string;
}

const ROLE = /^CCC-Role: ([a-z]+)$/m;

/** Reads a prompt by the contract of src/covenant/prompts: a role line in a system message, and named sections. */
export function readPrompt(messages: ChatMessage[]): Prompt {
  const said = messages.map((message) => ({ role: message.role, text: textOf(message) }));
  const frame = said.findLast(({ role, text }) => isInstruction(role) && ROLE.test(text));
  const role = ROLE.exec(frame?.text ?? '')?.[1] ?? null;
  // Beatrice gets everything in sections of one message; Codey and a plain chat get the client's own messages.
  const sectioned = role !== null && role !== 'draft';
  const source = sectioned
    ? (said.find((message) => message.role === 'user')?.text ?? '')
    : (frame?.text ?? '');
  const section = (name: SectionName) => readSection(source, name) ?? '';
  const common = { role, section, criteria: listed(section('criteria')), guidance: section('guidance') };
  if (sectioned) {
    const directive = section('directive');
    const asks = readAsks(directive);
    return {
      ...common,
      directive,
      asks,
      passages: [
        ...memoryPassages(section('memory')),
        ...conversationPassages(section('conversation')),
        ...toolPassages(section('tools')),
        ...told(asks),
      ],
      revision: null,
    };
  }
  const reviewed = role === 'draft' ? findReview(said) : -1;
  const revision =
    reviewed === -1 ? null : readRevision(said[reviewed - 1]?.text ?? '', said[reviewed]?.text ?? '');
  const client = revision ? said.filter((_, place) => place !== reviewed && place !== reviewed - 1) : said;
  const at = client.findLastIndex((message) => message.role === 'user');
  const directive = client[at]?.text ?? '';
  const asks = readAsks(directive);
  return {
    ...common,
    directive,
    asks,
    passages: [
      ...client.flatMap((message, place) => {
        if (place === at || message === frame || message.text === '')
          return memoryOf(message.text, message === frame);
        return isInstruction(message.role) && hasMemory(message.text)
          ? memoryOf(message.text, true)
          : [messagePassage(message.role, message.text)];
      }),
      ...told(asks),
    ],
    revision,
  };
}

function memoryOf(text: string, holds: boolean): Passage[] {
  return holds ? memoryPassages(readSection(text, 'memory') ?? '') : [];
}

function hasMemory(text: string): boolean {
  return readSection(text, 'memory') !== null;
}

/** What the person tells along with what they ask. Alone, it is not something to answer from. */
function told({ questions, statements }: Asks): Passage[] {
  if (questions.length === 0) return [];
  return statements.map((text) => ({ text, speaker: null, day: null, source: 'directive' }));
}

/** Where the message stands that asks for a revision; calls of tools may follow it. -1 when there is none. */
function findReview(said: { role: string; text: string }[]): number {
  const at = said.findLastIndex(({ role }) => role === 'user');
  return said[at - 1]?.role === 'assistant' ? at : -1;
}

function readRevision(draft: string, review: string): Revision | null {
  const [issues, criteria, checks] = (['issues', 'criteria', 'checks'] as const).map((name) =>
    readSection(review, name),
  );
  const word = /^The person says: ([\s\S]+)$/m.exec(review)?.[1];
  if (issues === null && criteria === null && checks === null && word === undefined) return null;
  return {
    draft,
    fixes: [
      ...listed(issues ?? '').map(({ text }) => /\bfix: (.*)$/s.exec(text)?.[1] ?? text),
      ...listed(checks ?? '').map(({ text }) => text),
      ...(word === undefined ? [] : [word]),
    ],
    unmet: listed(criteria ?? '').map(({ id }) => id),
  };
}

/** `- id: text` and `- id (severity) text`, one a line. */
function listed(text: string): ListedText[] {
  return [...text.matchAll(/^- ([^\s:(]+)(?::| \(\w+\)) ?(.*)$/gm)].map(([, id = '', rest = '']) => ({
    id,
    text: rest,
  }));
}

function isInstruction(role: string): boolean {
  return role === 'system' || role === 'developer';
}
