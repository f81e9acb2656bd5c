import { Agent } from 'undici';
import type { ChatProvider } from '../provider.ts';
import { ChatCaller } from './chat.ts';
import { createForward } from './forward.ts';
import { upstreamAddress } from './upstream-address.ts';

export interface OpenAiSettings {
  /** API root, such as `https://api.openai.com/v1`. Credentials in it are used and never shown. */
  baseUrl: string;
  /** Empty or undefined: no Authorization header is sent. */
  apiKey: string | undefined;
  model: string;
  /** Longest whole call of CCC's own; for calls passed through, the longest wait for headers and between two parts. */
  timeoutMs: number;
  maxRetries: number;
}

/** Longest wait for a connection, in milliseconds: a server that is there takes one at once. */
const CONNECT_MS = 10_000;

/** Any server that speaks OpenAI's API, by URL. Makes no call by itself. @throws {TypeError} not a URL */
export function createOpenAiProvider(settings: OpenAiSettings): ChatProvider {
  const { timeoutMs, maxRetries } = settings;
  const address = upstreamAddress(settings.baseUrl, settings.apiKey);
  const agent = new Agent({
    headersTimeout: timeoutMs,
    // Time between two parts of a body: a model may think for long, but not longer than a whole call may take.
    bodyTimeout: timeoutMs,
    connectTimeout: Math.min(timeoutMs, CONNECT_MS),
  });
  const caller = new ChatCaller({ address, timeoutMs, maxRetries, dispatcher: agent });
  const forward = createForward(address, agent);
  return Object.freeze({
    info: Object.freeze({
      name: 'openai' as const,
      baseUrl: address.shown,
      defaultModel: settings.model,
    }),
    chat: (request, options) => caller.call(request, options),
    forward,
    close: () => agent.destroy(),
  } satisfies ChatProvider);
}
