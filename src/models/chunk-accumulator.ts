import type { ChatCompletion, ChatCompletionChunk } from './chat-types.ts';

interface ToolCall {
  id: string;
  type: 'function';
  function: { name: string; arguments: string };
}

/** Puts the chunks of a stream together into the completion they stand for. First choice only. */
export class ChunkAccumulator {
  #first: ChatCompletionChunk | null = null;
  #content = '';
  #refusal = '';
  #hasContent = false;
  readonly #toolCalls: ToolCall[] = [];
  #finishReason: string | null = null;
  #usage: ChatCompletion['usage'];

  /** True once a finish reason has come: a stream that ends without one was broken off. */
  get finished(): boolean {
    return this.#finishReason !== null;
  }

  /** The text so far. */
  get content(): string {
    return this.#content;
  }

  add(chunk: ChatCompletionChunk): void {
    this.#first ??= chunk;
    if (chunk.usage) this.#usage = chunk.usage;
    // Some servers leave `choices` out of the chunk that holds the usage.
    const choices = chunk.choices as typeof chunk.choices | undefined;
    const choice = choices?.find(({ index }) => index === 0);
    if (!choice) return;
    if (choice.finish_reason) this.#finishReason = choice.finish_reason;
    // Some servers leave `delta` out of the last chunk.
    const delta = choice.delta as typeof choice.delta | undefined;
    if (typeof delta?.content === 'string') {
      this.#content += delta.content;
      this.#hasContent = true;
    }
    if (typeof delta?.refusal === 'string') this.#refusal += delta.refusal;
    for (const part of delta?.tool_calls ?? []) {
      const call = (this.#toolCalls[part.index] ??= {
        id: '',
        type: 'function',
        function: { name: '', arguments: '' },
      });
      if (part.id) call.id = part.id;
      if (part.function?.name) call.function.name = part.function.name;
      call.function.arguments += part.function?.arguments ?? '';
    }
  }

  /** The whole completion, in the shape of an answer that was not streamed. */
  completion(): ChatCompletion {
    const toolCalls = this.#toolCalls.filter(Boolean);
    return {
      id: this.#first?.id ?? '',
      object: 'chat.completion',
      created: this.#first?.created ?? 0,
      model: this.#first?.model ?? '',
      choices: [
        {
          index: 0,
          message: {
            role: 'assistant',
            // Servers that begin every stream with an empty text mean none when only tools are called.
            content:
              this.#hasContent && (this.#content !== '' || toolCalls.length === 0) ? this.#content : null,
            refusal: this.#refusal === '' ? null : this.#refusal,
            ...(toolCalls.length > 0 ? { tool_calls: toolCalls } : {}),
          },
          logprobs: null,
          finish_reason: (this.#finishReason ?? 'stop') as ChatCompletion.Choice['finish_reason'],
        },
      ],
      ...(this.#usage ? { usage: this.#usage } : {}),
    };
  }
}
