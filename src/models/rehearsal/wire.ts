import { randomUUID } from 'node:crypto';
import type { ChatCompletion, ChatCompletionChunk } from '../chat-types.ts';
import { REHEARSAL_MODEL, type Generated } from './generate.ts';

/** What every part of one answer repeats. */
interface Envelope {
  id: string;
  created: number;
  model: string;
}

/** Ids are new each time, as a real model's are: clients take equal ids for one message. */
function envelope(prefix: string): Envelope {
  return {
    id: `${prefix}-${randomUUID().replaceAll('-', '')}`,
    created: Math.floor(Date.now() / 1000),
    model: REHEARSAL_MODEL,
  };
}

/** An answer as OpenAI sends it in one piece. */
export function completionOf({ text, finishReason, usage }: Generated, n: number): ChatCompletion {
  return {
    ...envelope('chatcmpl'),
    object: 'chat.completion',
    choices: Array.from({ length: n }, (_, index) => ({
      index,
      message: { role: 'assistant' as const, content: text, refusal: null },
      logprobs: null,
      finish_reason: finishReason,
    })),
    usage,
  };
}

/** The same as a stream: the role first, the text word by word, the end, and the usage when it was asked for. */
export function* chunksOf(
  { choices, usage, id, created, model }: ChatCompletion,
  includeUsage: boolean,
): Generator<ChatCompletionChunk> {
  const same = { id, object: 'chat.completion.chunk' as const, created, model };
  const chunk = (
    index: number,
    delta: ChatCompletionChunk.Choice.Delta,
    finish_reason: ChatCompletionChunk.Choice['finish_reason'] = null,
  ): ChatCompletionChunk => ({
    ...same,
    choices: [{ index, delta, logprobs: null, finish_reason }],
    ...(includeUsage ? { usage: null } : {}),
  });
  for (const { index, message, finish_reason } of choices) {
    yield chunk(index, { role: 'assistant', content: '', refusal: null });
    for (const content of pieces(message.content ?? '')) yield chunk(index, { content });
    yield chunk(index, {}, finish_reason);
  }
  if (includeUsage && usage) yield { ...same, choices: [], usage };
}

/** The older endpoint's answer: one choice for each prompt and each of `n`. */
export function textCompletionOf(answers: Generated[], n: number) {
  const sum = (field: keyof Generated['usage']) =>
    answers.reduce((total, { usage }) => total + usage[field], 0);
  return {
    ...envelope('cmpl'),
    object: 'text_completion' as const,
    choices: answers
      .flatMap((given) => Array.from({ length: n }, () => given))
      .map(({ text, finishReason }, index) => ({ text, index, logprobs: null, finish_reason: finishReason })),
    usage: {
      prompt_tokens: sum('prompt_tokens'),
      completion_tokens: sum('completion_tokens'),
      total_tokens: sum('total_tokens'),
    },
  };
}

export function* textChunksOf(
  { choices, usage, ...same }: ReturnType<typeof textCompletionOf>,
  includeUsage: boolean,
): Generator<object> {
  const more = includeUsage ? { usage: null } : {};
  for (const { index, text, finish_reason } of choices) {
    const chunk = (part: string, finish: string | null) => ({
      ...same,
      choices: [{ text: part, index, logprobs: null, finish_reason: finish }],
      ...more,
    });
    for (const part of pieces(text)) yield chunk(part, null);
    yield chunk('', finish_reason);
  }
  if (includeUsage) yield { ...same, choices: [], usage };
}

/** A text as a stream has it: words, each with the space before it. Joined, they are the text. */
function pieces(text: string): string[] {
  return text.match(/\s*\S+|\s+$/gu) ?? [];
}
