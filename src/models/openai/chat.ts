import type OpenAI from 'openai';
import type { Dispatcher } from 'undici';
import { joinSignals } from '../../base/joined-signal.ts';
import type { ChatCompletion, ChatCompletionChunk, ChatRequest } from '../chat-types.ts';
import type { ChatCallOptions, ChatResult } from '../provider.ts';
import { resultOf } from '../chat-result.ts';
import { ChunkAccumulator } from '../chunk-accumulator.ts';
import type { UpstreamError } from '../upstream-error.ts';
import { asUpstreamError, brokenOff, invalidAnswer, outOfTime } from './as-upstream-error.ts';
import { createClient } from './client.ts';
import { withRetries } from './retry.ts';
import type { UpstreamAddress } from './upstream-address.ts';

export interface ChatCallerOptions {
  address: UpstreamAddress;
  /** For a whole call, retries and waits included, in milliseconds. */
  timeoutMs: number;
  maxRetries: number;
  /** The connections to use. Node's own `fetch` gives up after 300 s without headers, whatever the time-out says. */
  dispatcher: Dispatcher;
}

/** Calls that CCC makes itself, through the official SDK. */
export class ChatCaller {
  readonly #client: OpenAI;
  readonly #options: ChatCallerOptions;
  /** False once the upstream has refused `stream_options`: then tokens are estimated. */
  #usageInStreams = true;

  constructor(options: ChatCallerOptions) {
    this.#options = options;
    this.#client = createClient(options.address, options.dispatcher);
  }

  async call(request: ChatRequest, options: ChatCallOptions): Promise<ChatResult> {
    options.signal.throwIfAborted();
    const timeoutMs = options.timeoutMs ?? this.#options.timeoutMs;
    // The SDK's time-out ends with the headers; a stream that hangs in the middle needs one for the whole call.
    const limit = new AbortController();
    const timer = setTimeout(() => {
      limit.abort(outOfTime(timeoutMs));
    }, timeoutMs);
    const { signal, release } = joinSignals(options.signal, limit.signal);
    let delivered = false;
    const onChunk = options.onChunk;
    const hand = (chunk: ChatCompletionChunk) => {
      delivered = true;
      onChunk?.(chunk);
    };
    const attempt = async () => {
      try {
        return onChunk
          ? await this.#streamed(request, signal, timeoutMs, hand)
          : await this.#whole(request, signal, timeoutMs);
      } catch (error) {
        signal.throwIfAborted();
        throw asUpstreamError(error, this.#options.address);
      }
    };
    try {
      const completion = await withRetries(attempt, {
        maxRetries: this.#options.maxRetries,
        signal,
        deadline: Date.now() + timeoutMs,
        mayRepeat: () => !delivered,
      });
      return resultOf(completion, request);
    } finally {
      clearTimeout(timer);
      release();
    }
  }

  async #whole(request: ChatRequest, signal: AbortSignal, timeout: number): Promise<ChatCompletion> {
    const { stream_options: _options, ...rest } = request;
    const body = { ...rest, stream: false } as unknown as OpenAI.ChatCompletionCreateParamsNonStreaming;
    const completion = (await this.#client.chat.completions.create(body, { signal, timeout })) as unknown;
    if (!isCompletion(completion)) {
      throw invalidAnswer('The upstream answered with something that is not a chat completion.');
    }
    return completion;
  }

  async #streamed(
    request: ChatRequest,
    signal: AbortSignal,
    timeout: number,
    hand: (chunk: ChatCompletionChunk) => void,
  ): Promise<ChatCompletion> {
    const accumulator = new ChunkAccumulator();
    for await (const chunk of await this.#openStream(request, signal, timeout)) {
      signal.throwIfAborted();
      accumulator.add(chunk);
      hand(chunk);
    }
    signal.throwIfAborted();
    // A clean end without a finish reason passes for success in most clients; it is a broken answer all the same.
    if (!accumulator.finished) throw brokenOff();
    return accumulator.completion();
  }

  async #openStream(
    request: ChatRequest,
    signal: AbortSignal,
    timeout: number,
  ): Promise<AsyncIterable<ChatCompletionChunk>> {
    const create = (usage: boolean) => {
      const { stream_options: _options, ...rest } = request;
      const body = { ...rest, stream: true, ...(usage ? { stream_options: { include_usage: true } } : {}) };
      return this.#client.chat.completions.create(
        body as unknown as OpenAI.ChatCompletionCreateParamsStreaming,
        { signal, timeout },
      );
    };
    if (!this.#usageInStreams) return create(false);
    try {
      return await create(true);
    } catch (error) {
      if (!refusesStreamOptions(asUpstreamError(error, { ...this.#options.address, secrets: [] })))
        throw error;
      this.#usageInStreams = false;
      return create(false);
    }
  }
}

function refusesStreamOptions({ status, message, error }: UpstreamError): boolean {
  if (status !== 400 && status !== 422) return false;
  return /stream_options|include_usage/.test(`${message} ${String(error['param'])}`);
}

function isCompletion(value: unknown): value is ChatCompletion {
  const choices = (value as Partial<ChatCompletion> | null | undefined)?.choices;
  return Array.isArray(choices) && choices.every((choice) => typeof choice?.message === 'object');
}
