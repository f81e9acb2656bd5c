import type { ChatCompletion, ChatCompletionChunk } from '../chat-types.ts';

/** A completion as the chunks of a stream: the role, the text word by word, the end, and the usage when asked for. */
export function* chunksOf(completion: ChatCompletion, includeUsage: boolean): Generator<ChatCompletionChunk> {
  const { id, created, model, usage } = completion;
  const chunk = (
    fields: Pick<ChatCompletionChunk, 'choices'> & Partial<ChatCompletionChunk>,
  ): ChatCompletionChunk => ({
    id,
    object: 'chat.completion.chunk',
    created,
    model,
    ...(includeUsage ? { usage: null } : {}),
    ...fields,
  });
  const choice = (
    delta: ChatCompletionChunk.Choice.Delta,
    finish: ChatCompletionChunk.Choice['finish_reason'] = null,
  ) => ({
    index: 0,
    delta,
    logprobs: null,
    finish_reason: finish,
  });
  const [first] = completion.choices;
  yield chunk({ choices: [choice({ role: 'assistant', content: '' })] });
  for (const [word] of (first?.message.content ?? '').matchAll(/\s*\S+|\s+$/gu)) {
    yield chunk({ choices: [choice({ content: word })] });
  }
  yield chunk({ choices: [choice({}, first?.finish_reason ?? 'stop')] });
  if (includeUsage && usage) yield chunk({ choices: [], usage });
}
