import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EmbeddingProvider } from '../../../src/models/embeddings/embedding-provider.ts';
import { createOpenAiEmbeddings } from '../../../src/models/embeddings/openai-embeddings.ts';
import { failure, hang, json, startUpstream, type Upstream } from '../../support/upstream.ts';

const KEY = 'sk-server-0123456789abcdef';
const never = new AbortController().signal;
const background = { signal: never, urgent: false };

let upstream: Upstream;
let embeddings: EmbeddingProvider;

beforeEach(async () => {
  upstream = await startUpstream();
  embeddings = createOpenAiEmbeddings({
    baseUrl: upstream.baseUrl,
    apiKey: KEY,
    model: 'text-embedding-3-small',
    timeoutMs: 3_000,
    maxRetries: 2,
  });
});
afterEach(async () => {
  await embeddings.close();
  await upstream.close();
});

const base64 = (values: number[]) => Buffer.from(Float32Array.from(values).buffer).toString('base64');
const list = (...vectors: unknown[]) =>
  json({
    object: 'list',
    data: vectors.map((embedding, index) => ({ object: 'embedding', index, embedding })),
  });

describe('embeddings of an OpenAI-compatible server', () => {
  it('asks for base64 with the server’s key, and reads vectors of length 1', async () => {
    upstream.expect('/embeddings', list(base64([3, 4]), base64([0, 2])));
    const vectors = await embeddings.embed(['one', 'two'], background);
    expect(vectors.map((vector) => [...vector].map((value) => value.toFixed(2)))).toEqual([
      ['0.60', '0.80'],
      ['0.00', '1.00'],
    ]);
    const [call] = upstream.calls;
    expect(call?.json).toEqual({
      model: 'text-embedding-3-small',
      input: ['one', 'two'],
      encoding_format: 'base64',
    });
    expect(call?.headers.authorization).toBe(`Bearer ${KEY}`);
    expect(embeddings.model).toBe('openai:text-embedding-3-small');
  });

  it('reads numbers from a server that knows no base64, in whatever order they come', async () => {
    upstream.expect('/embeddings', (res, call) =>
      json({
        data: [
          { index: 1, embedding: [0, 1] },
          { index: 0, embedding: [1, 0] },
        ],
      })(res, call),
    );
    const [first, second] = await embeddings.embed(['one', 'two'], background);
    expect([...(first ?? [])]).toEqual([1, 0]);
    expect([...(second ?? [])]).toEqual([0, 1]);
  });

  it('asks for numbers from then on when base64 is refused', async () => {
    const refusal = failure(400, { message: 'encoding_format base64 is not supported' });
    upstream
      .expect('/embeddings', refusal)
      .expect('/embeddings', list([1, 0]))
      .expect('/embeddings', list([1, 0]));
    await embeddings.embed(['one'], background);
    await embeddings.embed(['one'], background);
    const asked = upstream.calls.map(({ json }) => (json as { encoding_format: string }).encoding_format);
    expect(asked).toEqual(['base64', 'float', 'float']);
  });

  it('tries again in the background, but not while somebody waits', async () => {
    const busy = failure(429, {}, { 'retry-after-ms': '1' });
    upstream
      .expect('/embeddings', busy)
      .expect('/embeddings', list([1]))
      .expect('/embeddings', busy);
    await expect(embeddings.embed(['one'], background)).resolves.toHaveLength(1);
    await expect(embeddings.embed(['one'], { signal: never, urgent: true })).rejects.toThrow();
    expect(embeddings.state().state).toBe('failing');
    upstream.assertComplete();
  });

  it('tells texts that are refused from a server that does not answer', async () => {
    upstream
      .expect('/embeddings', failure(400, { message: 'too long' }))
      .expect('/embeddings', failure(401, {}));
    await expect(embeddings.embed(['one'], background)).rejects.toMatchObject({ refused: true });
    expect(embeddings.state().state).toBe('ready');
    await expect(embeddings.embed(['one'], background)).rejects.toMatchObject({ refused: false });
    expect(embeddings.state().state).toBe('failing');
  });

  it.each([
    ['too few vectors', list([1, 0])],
    ['vectors of different sizes', list([1, 0], [1])],
    ['no vectors', list('!', null)],
    ['something else', json({ hello: 'there' })],
  ])('refuses %s', async (_what, reply) => {
    upstream.on('/embeddings', reply);
    await expect(embeddings.embed(['one', 'two'], background)).rejects.toMatchObject({
      name: 'EmbeddingError',
    });
  });

  it('ends at once when nobody waits any more', async () => {
    upstream.expect('/embeddings', hang());
    const stop = new AbortController();
    const asked = embeddings.embed(['one'], { signal: stop.signal, urgent: true });
    const call = await upstream.call(1);
    stop.abort(new Error('late'));
    await expect(asked).rejects.toThrow('late');
    await call.aborted;
  });
});
