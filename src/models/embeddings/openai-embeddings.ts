import { Agent } from 'undici';
import { joinSignals } from '../../base/joined-signal.ts';
import { asUpstreamError, invalidAnswer } from '../openai/as-upstream-error.ts';
import { createClient } from '../openai/client.ts';
import { withRetries } from '../openai/retry.ts';
import { upstreamAddress } from '../openai/upstream-address.ts';
import { UpstreamError } from '../upstream-error.ts';
import { EmbeddingError, type EmbeddingProvider, type EmbedOptions } from './embedding-provider.ts';
import { toUnitLength } from './unit-length.ts';

export interface OpenAiEmbeddingSettings {
  baseUrl: string;
  apiKey: string | undefined;
  model: string;
  /** For a whole call, retries included, in milliseconds. */
  timeoutMs: number;
  maxRetries: number;
}

/** OpenAI's models read 8,191 tokens; in no common script is a token less than half a character on average. */
const MOST_CHARACTERS = 4_000;

/** Embeddings of a server that speaks OpenAI's API: `POST /embeddings`. */
export function createOpenAiEmbeddings(settings: OpenAiEmbeddingSettings): EmbeddingProvider {
  const { model, timeoutMs, maxRetries } = settings;
  const address = upstreamAddress(settings.baseUrl, settings.apiKey);
  const agent = new Agent({ headersTimeout: timeoutMs, bodyTimeout: timeoutMs });
  const client = createClient(address, agent);
  let reason: string | null = null;
  /** Some servers refuse base64, which is a third of the size; then numbers are asked for. */
  let format: 'base64' | 'float' = 'base64';

  const call = async (input: string[], signal: AbortSignal): Promise<Float32Array[]> => {
    try {
      const answer: unknown = await client.embeddings.create(
        { model, input, encoding_format: format },
        { signal, timeout: timeoutMs },
      );
      return readVectors(answer, input.length);
    } catch (error) {
      signal.throwIfAborted();
      const failure = asUpstreamError(error, address);
      if (format === 'base64' && refusesFormat(failure)) {
        format = 'float';
        return call(input, signal);
      }
      throw failure;
    }
  };

  return {
    model: `openai:${model}`,
    state: () => ({ state: reason === null ? 'ready' : 'failing', reason }),
    prepare: () => undefined,
    async embed(texts: string[], { signal, urgent }: EmbedOptions) {
      const { signal: within, release } = joinSignals(signal, AbortSignal.timeout(timeoutMs));
      const input = texts.map((text) => text.slice(0, MOST_CHARACTERS));
      try {
        const vectors = await withRetries(() => call(input, within), {
          maxRetries: urgent ? 0 : maxRetries,
          signal: within,
          deadline: Date.now() + timeoutMs,
          mayRepeat: () => true,
        });
        reason = null;
        return vectors;
      } catch (error) {
        signal.throwIfAborted();
        const message = error instanceof Error ? error.message : String(error);
        // Too long, or not to its taste: the texts are at fault, not the server.
        const refused = error instanceof UpstreamError && (error.status === 400 || error.status === 413);
        if (!refused) reason = message;
        throw new EmbeddingError(message, { refused, cause: error });
      } finally {
        release();
      }
    },
    close: () => agent.destroy(),
  };
}

function refusesFormat({ status, message, error }: UpstreamError): boolean {
  return (
    (status === 400 || status === 422) &&
    /encoding_format|base64/.test(`${message} ${String(error['param'])}`)
  );
}

/** Vectors in the order of the texts, whatever order the answer has, from base64 or from numbers. */
function readVectors(answer: unknown, count: number): Float32Array[] {
  const data = (answer as { data?: unknown } | null)?.data;
  const vectors = new Array<Float32Array | undefined>(count).fill(undefined);
  for (const [at, item] of (Array.isArray(data) ? data : []).entries()) {
    const { index, embedding } = (item ?? {}) as { index?: unknown; embedding?: unknown };
    vectors[typeof index === 'number' ? index : at] = readVector(embedding);
  }
  const whole = vectors.filter((vector) => vector !== undefined && vector.length > 0);
  const sizes = new Set(whole.map((vector) => vector?.length));
  if (whole.length !== count || vectors.length !== count || sizes.size > 1) {
    throw invalidAnswer('The upstream answered with something that is not a list of embeddings.');
  }
  return whole.map((vector) => toUnitLength(vector ?? new Float32Array()));
}

function readVector(embedding: unknown): Float32Array | undefined {
  if (typeof embedding === 'string') {
    const bytes = Buffer.from(embedding, 'base64');
    if (bytes.length % 4 !== 0) return undefined;
    return Float32Array.from({ length: bytes.length / 4 }, (_, at) => bytes.readFloatLE(at * 4));
  }
  if (!Array.isArray(embedding) || !embedding.every((value) => typeof value === 'number')) return undefined;
  return Float32Array.from(embedding);
}
