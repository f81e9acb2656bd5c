import { readSection } from '../../text/sections.ts';
import { textOf } from '../chat-result.ts';
import type { ChatMessage, ChatRequest } from '../chat-types.ts';
import { passagesOfMemory, sentencesOf, type Passage } from './passages.ts';

export type Role = 'plain' | 'guidance' | 'draft' | 'verdict' | 'summary' | 'facts' | 'causal';

/** A prompt as the rehearsal model reads it. */
export interface PromptParts {
  role: Role;
  /** All of it, for reading sections. */
  whole: string;
  /** The last thing the person said. */
  question: string;
  /** What it may answer from: remembered turns, and what was said before in the messages. */
  passages: Passage[];
  /** For a revision: the draft before it, and what was said about it. */
  revision: { draft: string; request: string } | null;
}

export function readPrompt(request: ChatRequest): PromptParts {
  const { messages } = request;
  const whole = messages.map(textOf).join('\n\n');
  const role = (/^CCC-Role: (\w+)$/m.exec(whole)?.[1] ?? 'plain') as Role;
  const revised = role === 'draft' ? revisionOf(messages) : null;
  const said = revised ? messages.slice(0, -2) : messages;
  const people = said.filter((message) => message.role === 'user' || message.role === 'tool');
  const last = people.at(-1);
  const question = readSection(whole, 'directive') ?? (last ? textOf(last) : '');
  const before = people
    .slice(0, -1)
    .flatMap((message): Passage[] =>
      sentencesOf(textOf(message)).map((text) => ({ text, who: null, when: null })),
    );
  const memory = readSection(whole, 'memory') ?? '';
  return { role, whole, question, passages: [...passagesOfMemory(memory), ...before], revision: revised };
}

function revisionOf(messages: ChatMessage[]): { draft: string; request: string } | null {
  const [draft, request] = messages.slice(-2);
  if (draft?.role !== 'assistant' || request?.role !== 'user') return null;
  const text = textOf(request);
  return /<(?:issues|criteria|checks)>/.test(text) || text.startsWith('Your answer was reviewed')
    ? { draft: textOf(draft), request: text }
    : null;
}
