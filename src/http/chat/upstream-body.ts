import type { ChatMessage } from '../../models/chat-types.ts';
import { isOwnField } from './fields.ts';
import {
  appendMember,
  applyEdits,
  arraySpans,
  cutMembers,
  insertElement,
  lastMember,
  objectSpans,
  type ArraySpans,
  type Edit,
} from './json-splice.ts';
import { toolCallIds } from './messages.ts';
import { isNarration } from './narration.ts';

/**
 * The client's body as the upstream is to see it. Taken out: CCC's own fields, and in the history what this server
 * or another one has put beside an answer (several upstreams answer 400 to it). Put in: what memory adds, as one
 * message after the client's leading system messages. Every other byte stays.
 *
 * @param messages the parsed messages, or null when they cannot be read; the upstream is then left to say so
 */
export function upstreamBody(
  json: Buffer,
  messages: ChatMessage[] | null,
  memoryPrompt: string | null,
  alsoCut: readonly string[] = [],
): Buffer {
  const body = objectSpans(json);
  if (!body) return json;
  const edits: Edit[] = cutMembers(body, (key) => isOwnField(key) || alsoCut.includes(key));
  const member = lastMember(body, 'messages');
  const array = member && messages ? arraySpans(json, member.valueStart) : null;
  if (array && messages) {
    edits.push(...strippedHistory(json, array, messages));
    if (memoryPrompt !== null) edits.push(memoryMessage(array, messages, memoryPrompt));
  }
  return applyEdits(json, edits);
}

/** The body with this model in it when it names none: no member, null, or an empty name. Every other byte stays. */
export function withModel(json: Buffer, body: Record<string, unknown>, model: string): Buffer {
  const named = body['model'] ?? '';
  const object = named === '' ? objectSpans(json) : null;
  if (!object) return json;
  const member = lastMember(object, 'model');
  const value = JSON.stringify(model);
  const edit = member
    ? { start: member.valueStart, end: member.end, text: value }
    : appendMember(object, 'model', value);
  return applyEdits(json, [edit]);
}

const isInstruction = (message: ChatMessage) => message.role === 'system' || message.role === 'developer';

function memoryMessage(array: ArraySpans, messages: ChatMessage[], prompt: string): Edit {
  const firstOther = messages.findIndex((message) => !isInstruction(message));
  const at = firstOther < 0 ? messages.length : firstOther;
  const role = messages.slice(0, at).some((m) => m.role === 'developer') ? 'developer' : 'system';
  return insertElement(array, at, JSON.stringify({ role, content: prompt }));
}

function strippedHistory(json: Buffer, array: ArraySpans, messages: ChatMessage[]): Edit[] {
  const asked = messages.findLastIndex((message) => message.role === 'user');
  return messages.flatMap((message, i) => {
    if (message.role !== 'assistant') return [];
    const span = array.elements[i];
    const object = span && objectSpans(json, span.start);
    if (!object) return [];
    // A reasoning upstream wants its own thoughts back while its tools are at work.
    const pending = i > asked && toolCallIds(message).length > 0;
    return cutMembers(object, (key) => {
      if (key === 'covenant' || key === 'memory_metadata') return true;
      if (key !== 'reasoning_content' && key !== 'reasoning') return false;
      return !pending || isNarration(message[key]);
    });
  });
}
