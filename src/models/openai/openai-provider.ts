import type { ChatProvider } from '../provider.ts';
import { ChatCaller } from './chat.ts';
import { createForwarder } from './forward.ts';

export interface OpenAiSettings {
  /** API root, such as `https://api.openai.com/v1`. Credentials in it are used and never shown. */
  baseUrl: string;
  apiKey: string | undefined;
  model: string;
  timeoutMs: number;
  maxRetries: number;
}

/** Any server that speaks OpenAI's API, by URL. */
export function createOpenAiProvider(settings: OpenAiSettings): ChatProvider {
  const baseUrl = new URL(settings.baseUrl);
  const shown = new URL(baseUrl);
  shown.username = '';
  shown.password = '';
  shown.search = '';
  const caller = new ChatCaller({ ...settings, baseUrl });
  const forwarder = createForwarder({ ...settings, baseUrl });
  return Object.freeze({
    info: Object.freeze({
      name: 'openai' as const,
      baseUrl: shown.href.replace(/\/$/, ''),
      defaultModel: settings.model,
    }),
    chat: (request, options) => caller.call(request, options),
    forward: (request, signal) => forwarder.forward(request, signal),
    close: () => forwarder.close(),
  } satisfies ChatProvider);
}
