import { createOpenAiProvider } from './openai/openai-provider.ts';
import type { ChatProvider } from './provider.ts';
import { createRehearsalProvider } from './rehearsal/rehearsal-provider.ts';

const OPENAI = 'https://api.openai.com/v1';

export interface ProviderChoice {
  provider: 'auto' | 'openai' | 'rehearsal';
  apiKey: string | undefined;
  baseUrl: string | undefined;
  model: string;
  timeoutMs: number;
  maxRetries: number;
}

/** The provider that the settings ask for. `auto` takes a real one as soon as a key or an address is given. */
export function createProvider(choice: ProviderChoice): ChatProvider {
  const { provider, apiKey, baseUrl } = choice;
  const real =
    provider === 'openai' || (provider === 'auto' && (apiKey !== undefined || baseUrl !== undefined));
  return real ? createOpenAiProvider({ ...choice, baseUrl: baseUrl ?? OPENAI }) : createRehearsalProvider();
}
