import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { silentLogger } from '../../../src/base/logger.ts';
import { LocalEmbeddings } from '../../../src/models/embeddings/local/local-embeddings.ts';
import { writeTinyModel } from '../../support/tiny-model.ts';

const MODEL = 'test/tiny';
const MEANINGS = [
  ['car', 'automobile'],
  ['cat', 'kitten'],
];
const never = new AbortController().signal;
const background = { signal: never, urgent: false };

function modelFolder(write = true): string {
  const folder = mkdtempSync(join(tmpdir(), 'ccc-model-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  if (write) writeTinyModel(folder, MODEL, MEANINGS);
  return folder;
}

function open(folder: string, retryMs: number[] = [0]): LocalEmbeddings {
  const embeddings = new LocalEmbeddings({
    model: MODEL,
    folder,
    download: false,
    logger: silentLogger,
    retryMs,
  });
  onTestFinished(() => embeddings.close());
  return embeddings;
}

const cosine = (a: Float32Array, b: Float32Array) =>
  a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0);

describe('embeddings by a model that runs here', () => {
  it('gives texts of one meaning the same direction, with a real tokenizer and a real runtime', async () => {
    const embeddings = open(modelFolder());
    const texts = ['a car', 'the Automobile!', 'my kitten'];
    const [car, automobile, kitten] = (await embeddings.embed(texts, background)) as [
      Float32Array,
      Float32Array,
      Float32Array,
    ];
    expect(car).toHaveLength(8);
    expect(cosine(car, car)).toBeCloseTo(1);
    expect(cosine(car, automobile)).toBeCloseTo(1);
    expect(cosine(car, kitten)).toBeCloseTo(0);
    expect(embeddings.state()).toEqual({ state: 'ready', reason: null });
  });

  it('gives each of many texts its own vector, and questions go first', async () => {
    const embeddings = open(modelFolder());
    const order: string[] = [];
    const many = Array.from({ length: 40 }, (_, at) => (at % 2 === 0 ? 'car' : 'cat'));
    const [vectors] = await Promise.all([
      embeddings.embed(many, background).finally(() => order.push('many')),
      embeddings.embed(['kitten'], { signal: never, urgent: true }).finally(() => order.push('question')),
    ]);
    expect(order).toEqual(['question', 'many']);
    expect(vectors).toHaveLength(40);
    vectors.forEach((vector, at) => {
      expect(vector[at % 2]).toBeCloseTo(1);
    });
  });

  it('leaves the event loop alone while it loads and works', async () => {
    const embeddings = open(modelFolder());
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    await embeddings.embed(
      Array.from({ length: 200 }, () => 'car '.repeat(60)),
      background,
    );
    delay.disable();
    expect(delay.percentile(90) / 1e6).toBeLessThan(20);
  });

  it('says why a model cannot be loaded, and takes it up once it is there', async () => {
    const folder = modelFolder(false);
    const embeddings = open(folder);
    await expect(embeddings.embed(['car'], background)).rejects.toMatchObject({ name: 'EmbeddingError' });
    expect(embeddings.state().state).toBe('failing');
    expect(embeddings.state().reason).toMatch(/tiny|config|file/i);
    writeTinyModel(folder, MODEL, MEANINGS);
    expect(await embeddings.embed(['car'], background)).toHaveLength(1);
  });

  it('does not try again before its time, and refuses at once meanwhile', async () => {
    const embeddings = open(modelFolder(false), [60_000]);
    await expect(embeddings.embed(['car'], background)).rejects.toThrow();
    const begun = performance.now();
    await expect(embeddings.embed(['car'], background)).rejects.toThrow();
    expect(performance.now() - begun).toBeLessThan(20);
  });

  it('survives a broken model file: the thread refuses, the process goes on', async () => {
    const folder = modelFolder();
    writeFileSync(join(folder, 'test', 'tiny', 'onnx', 'model_quantized.onnx'), 'no model');
    const embeddings = open(folder);
    await expect(embeddings.embed(['car'], background)).rejects.toMatchObject({ name: 'EmbeddingError' });
  });

  it('rejects what was asked when the thread dies, and starts another for the next', async () => {
    const embeddings = open(modelFolder());
    await embeddings.embed(['car'], background);
    const { Worker } = await import('node:worker_threads');
    const post = vi.spyOn(Worker.prototype, 'postMessage').mockImplementationOnce(function (
      this: InstanceType<typeof Worker>,
    ) {
      void this.terminate();
    });
    onTestFinished(() => {
      post.mockRestore();
    });
    await expect(embeddings.embed(['car'], background)).rejects.toThrow('thread');
    expect(await embeddings.embed(['kitten'], background)).toHaveLength(1);
  });
});
