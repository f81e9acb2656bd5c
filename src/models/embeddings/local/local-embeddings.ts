import { Worker } from 'node:worker_threads';
import type { Logger } from '../../../base/logger.ts';
import { EmbeddingError, type EmbeddingProvider, type EmbeddingState } from '../embedding-provider.ts';
import { toUnitLength } from '../unit-length.ts';
import type { EmbedReply, EmbedRequest, LocalModelOptions } from './messages.ts';

/** Texts in one run of the model: a question that comes meanwhile waits for no more than these. */
const TEXTS_AT_ONCE = 4;
/** More than any small model reads; the tokenizer cuts the rest. */
const MOST_CHARACTERS = 8_000;
/** Waits before a model that could not be loaded, or whose thread died, is tried again, in milliseconds. */
const RETRY_MS = [1_000, 10_000, 60_000, 600_000];

interface Task {
  texts: string[];
  signal: AbortSignal;
  resolve: (values: Float32Array) => void;
  reject: (error: Error) => void;
}

export interface LocalEmbeddingOptions extends LocalModelOptions {
  logger: Logger;
  /** Waits before a model is tried again, in milliseconds. */
  retryMs?: readonly number[];
}

/** A model that runs here, in a thread of its own: one portion at a time, questions first. */
export class LocalEmbeddings implements EmbeddingProvider {
  readonly model: string;
  readonly #options: LocalEmbeddingOptions;
  readonly #urgent: Task[] = [];
  readonly #background: Task[] = [];
  #running: Task | null = null;
  #worker: Worker | null = null;
  #state: EmbeddingState = { state: 'idle', reason: null };
  #failures = 0;
  #retryAt = 0;
  #closed = false;

  constructor(options: LocalEmbeddingOptions) {
    this.#options = options;
    this.model = `local:${options.model}:q8`;
  }

  state(): EmbeddingState {
    return this.#state;
  }

  prepare(): void {
    if (this.#closed || this.#worker || performance.now() < this.#retryAt) return;
    const { model, folder, download } = this.#options;
    this.#options.logger.info(
      { model, folder },
      'the embedding model is being loaded; missing files are downloaded',
    );
    this.#state = { state: 'loading', reason: null };
    // The build has worker.js beside this file; the sources have a starter that brings the TypeScript loader.
    const entry = import.meta.url.endsWith('.ts') ? './worker-from-sources.mjs' : './worker.js';
    const worker = new Worker(new URL(entry, import.meta.url), {
      workerData: { model, folder, download } satisfies LocalModelOptions,
      name: 'ccc-embeddings',
    });
    this.#worker = worker;
    let reason = 'The thread of the embedding model ended.';
    worker.on('message', (reply: EmbedReply) => {
      if (reply.kind === 'unusable') reason = reply.reason;
      else this.#hear(reply);
    });
    worker.on('error', (error: unknown) => (reason = error instanceof Error ? error.message : String(error)));
    worker.once('exit', () => {
      this.#onExit(reason);
    });
  }

  async embed(texts: string[], { signal, urgent }: { signal: AbortSignal; urgent: boolean }) {
    const vectors: Float32Array[] = [];
    for (let from = 0; from < texts.length; from += TEXTS_AT_ONCE) {
      const portion = texts.slice(from, from + TEXTS_AT_ONCE).map((text) => text.slice(0, MOST_CHARACTERS));
      const values = await this.#submit(portion, signal, urgent);
      const dimension = values.length / portion.length;
      if (!Number.isInteger(dimension) || dimension === 0) {
        throw new EmbeddingError('The model gives no sentence embeddings.');
      }
      portion.forEach((_, at) =>
        vectors.push(toUnitLength(values.subarray(at * dimension, (at + 1) * dimension))),
      );
    }
    return vectors;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#worker?.terminate();
  }

  #submit(texts: string[], signal: AbortSignal, urgent: boolean): Promise<Float32Array> {
    signal.throwIfAborted();
    this.prepare();
    if (!this.#worker) {
      return Promise.reject(new EmbeddingError(this.#state.reason ?? 'The embedding model is closed.'));
    }
    return new Promise((resolve, reject) => {
      (urgent ? this.#urgent : this.#background).push({ texts, signal, resolve, reject });
      this.#next();
    });
  }

  #next(): void {
    if (this.#running || this.#state.state !== 'ready') return;
    const task = this.#urgent.shift() ?? this.#background.shift();
    if (!task) return;
    if (task.signal.aborted) {
      // Nobody waits for it any more.
      task.reject(task.signal.reason as Error);
      this.#next();
      return;
    }
    this.#running = task;
    this.#worker?.postMessage({ texts: task.texts } satisfies EmbedRequest);
  }

  #hear(reply: Exclude<EmbedReply, { kind: 'unusable' }>): void {
    const { logger, model } = this.#options;
    if (reply.kind === 'progress') {
      logger.info(
        { model, file: reply.file, percent: reply.percent },
        'the embedding model is being downloaded',
      );
      return;
    }
    if (reply.kind === 'ready') {
      this.#state = { state: 'ready', reason: null };
      logger.info({ model }, 'the embedding model is ready');
    } else {
      const task = this.#running;
      this.#running = null;
      this.#failures = 0;
      if (reply.kind === 'vectors') task?.resolve(reply.values);
      else task?.reject(new EmbeddingError(reply.reason));
    }
    this.#next();
  }

  #onExit(reason: string): void {
    const { retryMs = RETRY_MS } = this.#options;
    this.#worker = null;
    this.#state = { state: 'failing', reason };
    this.#retryAt = performance.now() + (retryMs[Math.min(this.#failures, retryMs.length - 1)] ?? 0);
    this.#failures += 1;
    const tasks = [this.#running, ...this.#urgent.splice(0), ...this.#background.splice(0)];
    this.#running = null;
    for (const task of tasks) task?.reject(new EmbeddingError(reason));
  }
}
