import type { Readable } from 'node:stream';
import type { ChatCompletion, ChatCompletionChunk, ChatRequest, Usage } from './chat-types.ts';

/** What a provider says about itself in the start line, `/health` and the page. Holds no secret. */
export interface ProviderInfo {
  name: 'openai' | 'rehearsal';
  /** Where calls go, without credentials; null when nothing leaves this process. */
  baseUrl: string | null;
  /** The model used when a request or setting names none. */
  defaultModel: string;
}

export interface ChatCallOptions {
  /** Aborting it stops the call at once; the promise then rejects with the signal's reason. */
  signal: AbortSignal;
  /** When given, the call is streamed and each chunk is handed over as it arrives. */
  onChunk?: (chunk: ChatCompletionChunk) => void;
  /** Whose call it is: where calls have to wait, each caller does so in a lane of their own. Absent: nobody waits for it. */
  lane?: string;
  /** Whose tokens it spends: a caller with a limit of them. Absent: nobody's. */
  payer?: string;
  /** Whole-call limit in milliseconds; the provider's own default otherwise. */
  timeoutMs?: number;
}

/** A finished chat completion, streamed or not. */
export interface ChatResult {
  completion: ChatCompletion;
  /** The first choice's text; empty when it only called tools. */
  content: string;
  finishReason: string;
  /** From the upstream; estimated with the local tokenizer when the upstream gave none. */
  usage: Usage;
  usageEstimated: boolean;
}

/** One request as it came from a client, for the pass-through. */
export interface ForwardRequest {
  method: string;
  /** Path below the API root, query included: `/chat/completions`. */
  path: string;
  /** The client's headers, hop-by-hop and credential headers already removed. */
  headers: Record<string, string>;
  body: Readable | Buffer | null;
  /** Whose call it is, see `ChatCallOptions`, and whose tokens it spends. */
  lane?: string;
}

/** How things stand with the upstream. */
export interface UpstreamStanding {
  /** Open: it has failed many times in a row and is left alone. */
  circuit: 'closed' | 'open';
  /** Calls under way; null where they are not counted. */
  inFlight: number | null;
  /** Calls that wait for a place. */
  waiting: number;
}

/** The upstream's answer, untouched. */
export interface ForwardResponse {
  status: number;
  headers: Record<string, string | string[]>;
  body: Readable;
}

/**
 * A source of chat completions. `chat` is for calls CCC makes itself (the cycle, summaries, judgement):
 * it retries, with backoff, what may be retried. `forward` is for calls clients make: it never retries
 * and changes no byte.
 */
export interface ChatProvider {
  readonly info: ProviderInfo;
  /** @throws {UpstreamError} when the upstream refuses, breaks off or times out after the retries. */
  chat(request: ChatRequest, options: ChatCallOptions): Promise<ChatResult>;
  /** @throws {CccError} upstream_unreachable or upstream_timeout when there is no answer at all. */
  forward(request: ForwardRequest, signal: AbortSignal): Promise<ForwardResponse>;
  /** Told by a provider that is guarded. */
  standing?(): UpstreamStanding;
  /** Ends idle connections. */
  close(): Promise<void>;
}
