import type { ChatCompletion, ChatCompletionChunk } from 'openai/resources/chat/completions';

/** A message as clients send it; only what CCC reads is named, everything else is carried along. */
export interface ChatMessage {
  role: string;
  content?: unknown;
  name?: string;
  tool_calls?: unknown;
  tool_call_id?: string;
  [field: string]: unknown;
}

/** A chat completion request: OpenAI's body, fields CCC has never heard of included. */
export interface ChatRequest {
  model: string;
  messages: ChatMessage[];
  [field: string]: unknown;
}

export type { ChatCompletion, ChatCompletionChunk };

/** Tokens as the upstream counted them. */
export interface Usage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
}

export const NO_USAGE: Usage = Object.freeze({ prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 });
