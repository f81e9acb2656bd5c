import OpenAI, { APIConnectionError, APIConnectionTimeoutError, APIError, APIUserAbortError } from 'openai';
import type { ChatCompletion, ChatCompletionChunk, ChatRequest } from '../chat-types.ts';
import type { ChatCallOptions, ChatResult } from '../provider.ts';
import { resultOf } from '../chat-result.ts';
import { ChunkAccumulator } from '../chunk-accumulator.ts';
import { UpstreamError } from '../upstream-error.ts';

/** Headers of an error that tell a client what to do next. */
const TELLING_HEADERS = ['retry-after', 'retry-after-ms', 'x-should-retry', 'x-request-id'];

/** Calls that CCC makes itself, through the official SDK, which retries what may be retried and honours retry-after. */
export class ChatCaller {
  readonly #client: OpenAI;
  readonly #timeoutMs: number;
  /** False once the upstream has refused `stream_options`: then tokens are estimated. */
  #usageInStreams = true;

  constructor(options: { baseUrl: URL; apiKey: string | undefined; timeoutMs: number; maxRetries: number }) {
    this.#timeoutMs = options.timeoutMs;
    this.#client = new OpenAI({
      baseURL: options.baseUrl.href.replace(/\/$/, ''),
      // The SDK insists on a key; a local server that needs none gets no Authorization header at all.
      apiKey: options.apiKey ?? 'none',
      ...(options.apiKey ? {} : { defaultHeaders: { authorization: null } }),
      organization: null,
      project: null,
      timeout: options.timeoutMs,
      maxRetries: options.maxRetries,
      logLevel: 'off',
    });
  }

  async call(request: ChatRequest, options: ChatCallOptions): Promise<ChatResult> {
    options.signal.throwIfAborted();
    const timeoutMs = options.timeoutMs ?? this.#timeoutMs;
    // The SDK's time-out ends with the headers; a stream that hangs in the middle needs one for the whole call.
    const deadline = AbortSignal.timeout(timeoutMs);
    const signal = AbortSignal.any([options.signal, deadline]);
    try {
      const completion = options.onChunk
        ? await this.#streamed(request, signal, options.onChunk)
        : await this.#whole(request, signal);
      return resultOf(completion, request);
    } catch (error) {
      options.signal.throwIfAborted();
      if (deadline.aborted || error instanceof APIConnectionTimeoutError) {
        throw new UpstreamError(504, {
          message: `The upstream did not finish within ${String(timeoutMs)} ms.`,
          type: 'api_error',
          code: 'upstream_timeout',
          param: null,
        });
      }
      throw asUpstreamError(error);
    }
  }

  async #whole(request: ChatRequest, signal: AbortSignal): Promise<ChatCompletion> {
    const body = { ...request, stream: false } as unknown as OpenAI.ChatCompletionCreateParamsNonStreaming;
    const completion = await this.#client.chat.completions.create(body, { signal });
    if (!Array.isArray((completion as Partial<ChatCompletion>).choices)) {
      throw brokenAnswer('The upstream answered with something that is not a chat completion.');
    }
    return completion;
  }

  async #streamed(
    request: ChatRequest,
    signal: AbortSignal,
    onChunk: (chunk: ChatCompletionChunk) => void,
  ): Promise<ChatCompletion> {
    const accumulator = new ChunkAccumulator();
    for await (const chunk of await this.#openStream(request, signal)) {
      signal.throwIfAborted();
      accumulator.add(chunk);
      onChunk(chunk);
    }
    signal.throwIfAborted();
    if (!accumulator.finished) throw brokenAnswer('The upstream broke off in the middle of its answer.');
    return accumulator.completion();
  }

  async #openStream(request: ChatRequest, signal: AbortSignal): Promise<AsyncIterable<ChatCompletionChunk>> {
    const create = (usage: boolean) => {
      const { stream_options: _options, ...rest } = request;
      const body = { ...rest, stream: true, ...(usage ? { stream_options: { include_usage: true } } : {}) };
      return this.#client.chat.completions.create(
        body as unknown as OpenAI.ChatCompletionCreateParamsStreaming,
        { signal },
      );
    };
    if (!this.#usageInStreams) return create(false);
    try {
      return await create(true);
    } catch (error) {
      const refused =
        error instanceof APIError &&
        (error.status === 400 || error.status === 422) &&
        error.message.includes('stream_options');
      if (!refused) throw error;
      this.#usageInStreams = false;
      return create(false);
    }
  }
}

function asUpstreamError(error: unknown): unknown {
  if (error instanceof UpstreamError) return error;
  if (error instanceof APIUserAbortError || error instanceof APIConnectionError) {
    return new UpstreamError(
      502,
      {
        message: 'The upstream could not be reached.',
        type: 'api_error',
        code: 'upstream_unreachable',
        param: null,
      },
      {},
      error,
    );
  }
  if (error instanceof APIError) {
    const headers = error.headers as Headers | undefined;
    const telling = TELLING_HEADERS.flatMap((name): [string, string][] => {
      const value = headers?.get(name);
      return value ? [[name, value]] : [];
    });
    const body = (error.error ?? {}) as Record<string, unknown>;
    return new UpstreamError(
      // An error chunk in a stream has no status of its own.
      (error.status as number | undefined) ?? 502,
      {
        message: typeof body['message'] === 'string' ? body['message'] : error.message,
        type: error.type ?? 'api_error',
        code: error.code ?? null,
        param: error.param ?? null,
      },
      Object.fromEntries(telling),
      error,
    );
  }
  return brokenAnswer('The upstream broke off or sent something that is not a chat completion.', error);
}

function brokenAnswer(message: string, cause?: unknown): UpstreamError {
  return new UpstreamError(
    502,
    { message, type: 'api_error', code: 'upstream_invalid', param: null },
    {},
    cause,
  );
}
