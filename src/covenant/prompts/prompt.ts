import { createHash } from 'node:crypto';
import { asData } from '../../memory/context/attribution.ts';
import { textOf } from '../../models/chat-result.ts';
import type { ChatMessage } from '../../models/chat-types.ts';
import { section } from '../../text/sections.ts';
import { countTokens, truncateToTokens } from '../../text/tokens.ts';

/** Goes up when a prompt's wording changes, so that a trace says which one a step was made with. */
export const PROMPT_VERSION = 5;

/** Most tokens of the client's earlier messages that Beatrice is shown. */
const CONVERSATION_TOKENS = 3_000;

export function promptHash(messages: ChatMessage[]): string {
  return createHash('sha256').update(JSON.stringify(messages)).digest('hex');
}

/** The sections of a prompt that hold something, with an empty line between them. */
export function joined(...sections: string[]): string {
  return sections.filter((text) => text !== '').join('\n\n');
}

/** Lessons of earlier work, as data; empty when there are none. */
export function lessonsText(lines: readonly string[] = []): string {
  const text = section('lessons', lines.join('\n'));
  return text === ''
    ? ''
    : `Reviews of earlier work have taught what stands in <lessons>. Keep in mind what applies here; the person's own words come first.\n${text}`;
}

/** The client's messages before the directive, as text for the reviewer; the oldest go first when they are too many. */
export function conversationText(messages: ChatMessage[]): string {
  const lines: string[] = [];
  let room = CONVERSATION_TOKENS;
  for (const message of messages.slice(0, -1).reverse()) {
    const text = textOf(message);
    if (text === '') continue;
    // Indented: no line of it can pass for what somebody else has said.
    const line = `${message.role}: ${asData(text)}`;
    const tokens = countTokens(line);
    lines.unshift(tokens > room ? truncateToTokens(line, room) : line);
    room -= tokens;
    if (room <= 0) break;
  }
  return lines.join('\n');
}
