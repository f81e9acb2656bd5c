import { availableParallelism } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import type { EmbedReply, EmbedRequest, LocalModelOptions } from './messages.ts';

/** A line of progress for each quarter of a file; files below this size are not worth one, in bytes. */
const STEP_PERCENT = 25;
const WORTH_TELLING = 1_000_000;

type Port = NonNullable<typeof parentPort>;
type Embed = (texts: string[]) => Promise<Float32Array<ArrayBuffer>>;

/** Loads the tokenizer and the quantised model; files that are not in the folder are fetched into it. */
async function load({ model, folder, download }: LocalModelOptions, port: Port): Promise<Embed> {
  const { env, pipeline } = await import('@huggingface/transformers');
  env.localModelPath = folder;
  env.cacheDir = folder;
  env.allowLocalModels = true;
  env.allowRemoteModels = download;
  const told = new Map<string, number>();
  const extract = await pipeline('feature-extraction', model, {
    dtype: 'q8',
    // Half of the processors: the server has other work to do.
    session_options: { intraOpNumThreads: Math.max(1, Math.floor(availableParallelism() / 2)) },
    progress_callback: (news) => {
      if (news.status !== 'progress' || news.total < WORTH_TELLING) return;
      const percent = Math.floor(news.progress / STEP_PERCENT) * STEP_PERCENT;
      if (percent <= (told.get(news.file) ?? -1)) return;
      told.set(news.file, percent);
      port.postMessage({ kind: 'progress', file: news.file, percent } satisfies EmbedReply);
    },
  });
  return async (texts) => {
    const tensor = await extract(texts, { pooling: 'mean', normalize: true });
    return Float32Array.from(tensor.data as Float32Array);
  };
}

async function serve(port: Port, options: LocalModelOptions): Promise<void> {
  let embed: Embed;
  try {
    embed = await load(options, port);
  } catch (error) {
    port.postMessage({ kind: 'unusable', reason: reasonOf(error) } satisfies EmbedReply);
    port.close();
    return;
  }
  port.on('message', ({ texts }: EmbedRequest) => {
    embed(texts).then(
      (values) => {
        port.postMessage({ kind: 'vectors', values } satisfies EmbedReply, [values.buffer]);
      },
      (error: unknown) => {
        port.postMessage({ kind: 'failed', reason: reasonOf(error) } satisfies EmbedReply);
      },
    );
  });
  port.postMessage({ kind: 'ready' } satisfies EmbedReply);
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

if (parentPort) await serve(parentPort, workerData as LocalModelOptions);
