import { resultOf } from '../chat-result.ts';
import type { ChatProvider } from '../provider.ts';
import { chunksOf } from './chunks.ts';
import { generate, REHEARSAL_MODEL } from './generate.ts';
import { serve } from './serve.ts';

/**
 * The built-in model: offline, deterministic, and honest about what it is. It answers from its prompt and finds faults
 * that can be counted, so that all of CCC can be tried without a key.
 */
export function createRehearsalProvider(): ChatProvider {
  return Object.freeze({
    info: Object.freeze({ name: 'rehearsal' as const, baseUrl: null, defaultModel: REHEARSAL_MODEL }),
    async chat(request, { signal, onChunk }) {
      signal.throwIfAborted();
      const completion = generate(request);
      if (onChunk) {
        for (const chunk of chunksOf(completion, true)) {
          onChunk(chunk);
          // Lets other requests, and a cancellation, have their turn.
          await new Promise((resolve) => setImmediate(resolve));
          signal.throwIfAborted();
        }
      }
      return resultOf(completion, request);
    },
    forward: (request, signal) => {
      signal.throwIfAborted();
      return serve(request);
    },
    close: () => Promise.resolve(),
  } satisfies ChatProvider);
}
