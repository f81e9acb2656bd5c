import { countTokens } from '../text/tokens.ts';
import type { ChatCompletion, ChatMessage, ChatRequest } from './chat-types.ts';
import type { ChatResult } from './provider.ts';

/** Tokens a message costs beside its text, by OpenAI's description of its chat format. */
const TOKENS_AROUND_A_MESSAGE = 4;

/** Reads what CCC needs from a completion; tokens are estimated when the upstream did not count them. */
export function resultOf(completion: ChatCompletion, request: ChatRequest): ChatResult {
  const choice = completion.choices[0];
  const content = choice?.message.content ?? '';
  const counted = completion.usage;
  const prompt = counted?.prompt_tokens ?? promptTokens(request.messages);
  const answer = counted?.completion_tokens ?? countTokens(content);
  return {
    completion,
    content,
    finishReason: choice?.finish_reason ?? 'stop',
    usage: {
      prompt_tokens: prompt,
      completion_tokens: answer,
      total_tokens: counted?.total_tokens ?? prompt + answer,
    },
    usageEstimated: !counted,
  };
}

/** Estimated tokens of a prompt: the texts, and what a message costs around its text. */
export function promptTokens(messages: ChatMessage[]): number {
  return messages.reduce((sum, message) => sum + countTokens(textOf(message)) + TOKENS_AROUND_A_MESSAGE, 0);
}

/** The text of a message; of content parts, those that are text. */
export function textOf(message: ChatMessage): string {
  if (typeof message.content === 'string') return message.content;
  if (!Array.isArray(message.content)) return '';
  return (message.content as { type?: unknown; text?: unknown }[])
    .map((part) => (part.type === 'text' && typeof part.text === 'string' ? part.text : ''))
    .filter(Boolean)
    .join('\n');
}
