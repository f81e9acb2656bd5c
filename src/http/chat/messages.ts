import type { ChatMessage } from '../../models/chat-types.ts';
import type { JsonObject } from '../../store/records.ts';

/** What CCC keeps of a message's content: its text, and a note of what else was in it. */
export interface MessageText {
  text: string;
  /** Images, sounds and files: their kind and, unless it holds the data itself, where they lie. Never the data. */
  attachments: JsonObject[];
}

const LONGEST_ADDRESS = 500;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The messages of a request body, or null when it has none that can be read. */
export function readMessages(body: Record<string, unknown>): ChatMessage[] | null {
  const messages = body['messages'];
  if (!Array.isArray(messages)) return null;
  const readable = messages.every((message) => isObject(message) && typeof message['role'] === 'string');
  return readable ? (messages as ChatMessage[]) : null;
}

/** Reads a content that is a string or a list of parts. Text parts are joined by a line end. */
export function messageText(message: ChatMessage): MessageText {
  const { content } = message;
  if (typeof content === 'string') return { text: content, attachments: [] };
  if (!Array.isArray(content)) return { text: '', attachments: [] };
  const texts: string[] = [];
  const attachments: JsonObject[] = [];
  for (const part of content as unknown[]) {
    if (typeof part === 'string') texts.push(part);
    if (!isObject(part)) continue;
    const text = part['text'] ?? part['refusal'];
    if (typeof text === 'string') texts.push(text);
    else attachments.push(describePart(part));
  }
  return { text: texts.join('\n'), attachments };
}

function describePart(part: Record<string, unknown>): JsonObject {
  const type = typeof part['type'] === 'string' ? part['type'] : 'unknown';
  const inner = part[type];
  const address = isObject(inner) ? (inner['url'] ?? inner['file_id']) : inner;
  const note: JsonObject = { type };
  if (isObject(inner) && typeof inner['filename'] === 'string') note['filename'] = inner['filename'];
  if (typeof address !== 'string') return note;
  const data = /^data:([^;,]*)/i.exec(address);
  if (data) note['media_type'] = data[1] ?? '';
  else note['url'] = address.slice(0, LONGEST_ADDRESS);
  return note;
}

/** What the person asked: the last user message, and where it stands. */
export interface Directive extends MessageText {
  index: number;
  /** The message's `name`, when several people use one session. */
  speaker: string | null;
}

/** Null when no message is the person's. */
export function findDirective(messages: ChatMessage[]): Directive | null {
  const index = messages.findLastIndex((message) => message.role === 'user');
  const message = messages[index];
  if (!message) return null;
  return { ...messageText(message), index, speaker: typeof message.name === 'string' ? message.name : null };
}

/** The ids of the tools that an assistant message calls. */
export function toolCallIds(message: ChatMessage): string[] {
  if (!Array.isArray(message.tool_calls)) return [];
  return (message.tool_calls as unknown[]).flatMap((call) =>
    isObject(call) && typeof call['id'] === 'string' ? [call['id']] : [],
  );
}
