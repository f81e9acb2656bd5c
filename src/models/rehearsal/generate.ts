import { countTokens, truncateToTokens } from '../../text/tokens.ts';
import { promptTokens, textOf } from '../chat-result.ts';
import type { ChatMessage, Usage } from '../chat-types.ts';
import { answer } from './answer.ts';
import { guidance } from './guidance.ts';
import { readPrompt } from './prompt.ts';
import type { RehearsalRequest } from './request.ts';
import { inShape } from './structured.ts';
import { summary } from './summary.ts';
import { verdict } from './verdict.ts';

export const REHEARSAL_MODEL = 'ccc-rehearsal';

export interface Generated {
  text: string;
  finishReason: 'stop' | 'length';
  usage: Usage;
}

/** What the model says to a request: the same for the same request, always. */
export function generate(request: Omit<RehearsalRequest, 'stream' | 'includeUsage'>): Generated {
  const { text, finishReason } = limited(say(request), request);
  const prompt_tokens = promptTokens(request.messages);
  const completion_tokens = countTokens(text) * request.n;
  return {
    text,
    finishReason,
    usage: { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens },
  };
}

function say({ messages, format }: Pick<RehearsalRequest, 'messages' | 'format'>): string {
  const prompt = readPrompt(messages);
  switch (prompt.role) {
    case 'guidance':
      return guidance(prompt);
    case 'verdict':
      return verdict(prompt);
    case 'summary': {
      const text = summary(prompt, instructionsOf(messages));
      return format.kind === 'text' ? text : JSON.stringify({ summary: text });
    }
    case null:
    case 'draft':
      return inForm(answer(prompt), format);
    default:
      // A role it has not learnt (facts, causes): it has found nothing, in whatever shape that is asked for.
      return inForm('', format);
  }
}

function instructionsOf(messages: ChatMessage[]): string {
  return messages
    .filter(({ role }) => role === 'system')
    .map(textOf)
    .join('\n');
}

/** A client that asked for JSON gets JSON. */
function inForm(text: string, format: RehearsalRequest['format']): string {
  if (format.kind === 'text') return text;
  if (format.kind === 'json_schema') return JSON.stringify(inShape(format.schema, text));
  return isJsonObject(text) ? text : JSON.stringify({ answer: text });
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

/** Ends before a stop text, and at the token limit. */
function limited(
  whole: string,
  { stop, maxTokens }: Pick<RehearsalRequest, 'stop' | 'maxTokens'>,
): Pick<Generated, 'text' | 'finishReason'> {
  const ends = stop.map((text) => whole.indexOf(text)).filter((at) => at !== -1);
  const text = ends.length > 0 ? whole.slice(0, Math.min(...ends)) : whole;
  if (maxTokens === null || countTokens(text) <= maxTokens) return { text, finishReason: 'stop' };
  return { text: truncateToTokens(text, maxTokens), finishReason: 'length' };
}
