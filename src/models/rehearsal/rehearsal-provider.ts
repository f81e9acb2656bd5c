import { resultOf } from '../chat-result.ts';
import type { ChatProvider } from '../provider.ts';
import { generate, REHEARSAL_MODEL } from './generate.ts';
import { readRequest } from './request.ts';
import { serve } from './serve.ts';
import { chunksOf, completionOf } from './wire.ts';

/**
 * The built-in model: offline, deterministic, and honest about what it is. It quotes and combines what its prompt
 * holds, and finds faults that can be counted or looked up, so that all of CCC can be tried without a key. Any model
 * name is taken and answered as `ccc-rehearsal`.
 */
export function createRehearsalProvider(): ChatProvider {
  return Object.freeze({
    info: Object.freeze({ name: 'rehearsal' as const, baseUrl: null, defaultModel: REHEARSAL_MODEL }),
    async chat(request, { signal, onChunk }) {
      signal.throwIfAborted();
      const { stream: _stream, stream_options: _options, ...body } = request;
      const read = readRequest(body);
      const completion = completionOf(generate(read), read.n);
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
    async forward(request, signal) {
      signal.throwIfAborted();
      return serve(request, signal);
    },
    close: () => Promise.resolve(),
  } satisfies ChatProvider);
}
