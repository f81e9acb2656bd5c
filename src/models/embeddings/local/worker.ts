import { availableParallelism } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import type { EmbedReply, EmbedRequest, LocalModelOptions } from './messages.ts';

/** A line of progress for each quarter of a file; files below this size are not worth one, in bytes. */
const STEP_PERCENT = 25;
const WORTH_TELLING = 1_000_000;

/** What is used of the library. It is optional: the build must do without its types as the server does without its code. */
interface Library {
  env: { localModelPath: string; cacheDir: string; allowLocalModels: boolean; allowRemoteModels: boolean };
  pipeline(
    task: 'feature-extraction',
    model: string,
    options: {
      dtype: 'q8';
      session_options: { intraOpNumThreads: number };
      progress_callback: (news: { status: string; file?: string; progress?: number; total?: number }) => void;
    },
  ): Promise<
    (texts: string[], options: { pooling: 'mean'; normalize: true }) => Promise<{ data: Float32Array }>
  >;
}
const LIBRARY: string = '@huggingface/transformers';

type Port = NonNullable<typeof parentPort>;
type Embed = (texts: string[]) => Promise<Float32Array<ArrayBuffer>>;

/** Loads the tokenizer and the quantised model; files that are not in the folder are fetched into it. */
async function load({ model, folder, download }: LocalModelOptions, port: Port): Promise<Embed> {
  const { env, pipeline } = (await import(LIBRARY)) as Library;
  env.localModelPath = folder;
  env.cacheDir = folder;
  env.allowLocalModels = true;
  env.allowRemoteModels = download;
  const told = new Map<string, number>();
  const extract = await pipeline('feature-extraction', model, {
    dtype: 'q8',
    // Half of the processors: the server has other work to do.
    session_options: { intraOpNumThreads: Math.max(1, Math.floor(availableParallelism() / 2)) },
    progress_callback: ({ status, file = '', progress = 0, total = 0 }) => {
      if (status !== 'progress' || total < WORTH_TELLING) return;
      const percent = Math.floor(progress / STEP_PERCENT) * STEP_PERCENT;
      if (percent <= (told.get(file) ?? -1)) return;
      told.set(file, percent);
      port.postMessage({ kind: 'progress', file, percent } satisfies EmbedReply);
    },
  });
  return async (texts) => {
    const tensor = await extract(texts, { pooling: 'mean', normalize: true });
    return Float32Array.from(tensor.data);
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
