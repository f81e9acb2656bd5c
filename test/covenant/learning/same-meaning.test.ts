import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EmbeddingProvider } from '../../../src/models/embeddings/embedding-provider.ts';
import { createOpenAiEmbeddings } from '../../../src/models/embeddings/openai-embeddings.ts';
import { startUpstream, type Upstream } from '../../support/upstream.ts';
import { openBench, type Bench } from '../support.ts';
import { codeysLessons, expectRounds, runAndLearn, verdict } from './support.ts';

const DIRECTIVE = 'Write the monthly sales report for the board.';
const KNOWN = 'Put the currency sign before every amount.';

/** An embedding model that knows what these sentences are about. */
const ABOUT_MONEY = /currency|money|amount|dollar/i;

describe('a lesson that is known in other words', () => {
  let upstream: Upstream;
  let bench: Bench;
  let embeddings: EmbeddingProvider;
  let isThere: boolean;
  beforeEach(async () => {
    upstream = await startUpstream();
    isThere = true;
    upstream.on('/embeddings', (res, call) => {
      res.setHeader('content-type', 'application/json');
      if (!isThere) res.statusCode = 503;
      const { input } = call.json as { input: string[] };
      const data = input.map((text, index) => ({
        object: 'embedding',
        index,
        embedding: Buffer.from(Float32Array.from(ABOUT_MONEY.test(text) ? [1, 0.1] : [0, 1]).buffer).toString(
          'base64',
        ),
      }));
      res.end(
        JSON.stringify(isThere ? { object: 'list', model: 'm', data } : { error: { message: 'Busy.' } }),
      );
    });
    embeddings = createOpenAiEmbeddings({
      baseUrl: upstream.baseUrl,
      apiKey: 'sk-test',
      model: 'm',
      timeoutMs: 5_000,
      maxRetries: 0,
    });
    bench = await openBench(upstream);
  });
  afterEach(async () => {
    await embeddings.close();
    await bench.close();
    await upstream.close();
  });

  const teach = async (fix: string) => {
    expectRounds(upstream, [verdict({ issues: [{ id: 'a', fix }] }), verdict({ resolved: ['a'] })]);
    await runAndLearn(bench, DIRECTIVE, embeddings);
  };
  const lessons = async () =>
    (await codeysLessons(bench)).map(({ text, evidence }) => [text, evidence.length]);

  it('is evidence for the lesson that is there', async () => {
    await teach(KNOWN);
    await teach('Show which money each figure of the table is counted in.');
    expect(await lessons()).toEqual([[KNOWN, 2]]);
  });

  it('is another one where it says the opposite or names another figure, however near its vector is', async () => {
    await teach(KNOWN);
    await teach('Never show which money the figures of a table are counted in.');
    await teach('Round what money is counted in to 2 decimals in the table.');
    expect(await lessons()).toHaveLength(3);
  });

  it('is not learned again where the known one was retired', async () => {
    await teach(KNOWN);
    const [lesson] = await codeysLessons(bench);
    if (!lesson) throw new Error('Nothing was learned.');
    const { sessionId, lessonId, version: expectedVersion } = lesson;
    const changes = { status: 'retired' } as const;
    await bench.dal.lessons.change({ sessionId, lessonId, expectedVersion, changes, now: Date.now() });
    await teach('Show which money each figure of the table is counted in.');
    expect(await lessons()).toEqual([[KNOWN, 1]]);
  });

  it('is judged by its words alone when the model does not answer', async () => {
    await teach(KNOWN);
    isThere = false;
    await teach('Show which money each figure of the table is counted in.');
    expect(await lessons()).toHaveLength(2);
  });
});
