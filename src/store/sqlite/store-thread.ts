import { Worker } from 'node:worker_threads';
import { CccError } from '../../base/ccc-error.ts';
import type { Logger } from '../../base/logger.ts';
import { closedError, type Caller } from './caller.ts';
import type { MethodTable } from './engine.ts';
import { fromPlainError } from './error-crossing.ts';
import type { Call, Reply, Request, ThreadOptions } from './messages.ts';

/** Waits before the second, third … attempt to start a thread that died, in milliseconds. */
const RESTART_DELAYS_MS = [0, 100, 500, 2_000, 5_000];

/**
 * So many unanswered calls are much. At 64 clients a chat with memory then takes a fifth less processor time
 * (`npm run bench -- --only chat`); one client alone has about ten at once.
 */
const MANY_PENDING = 24;

interface Pending {
  resolve: (value: unknown) => void;
  reject: (error: CccError) => void;
}

/**
 * Carries out store methods in a worker thread. A thread that dies rejects, with storage_failed, everything it was
 * asked and has not answered, and a new one takes its place; while there is none, calls are refused at once.
 */
export class StoreThread implements Caller {
  readonly methods: MethodTable;
  readonly #options: ThreadOptions;
  readonly #logger: Logger;
  readonly #pending = new Map<number, Pending>();
  #worker: Worker | null = null;
  #outbox: Call[] = [];
  #nextId = 1;
  #deaths = 0;
  #restart: NodeJS.Timeout | null = null;
  #closing: Promise<void> | null = null;

  private constructor(options: ThreadOptions, logger: Logger, worker: Worker, methods: MethodTable) {
    this.#options = options;
    this.#logger = logger;
    this.methods = methods;
    this.#adopt(worker);
  }

  /** @throws CccError storage_failed when the file cannot be opened or its schema does not fit */
  static async start(options: ThreadOptions, logger: Logger): Promise<StoreThread> {
    const { worker, methods } = await startWorker(options);
    return new StoreThread(options, logger, worker, methods);
  }

  call(store: string, method: string, args: unknown[]): Promise<unknown> {
    if (this.#closing) return Promise.reject(closedError());
    if (!this.#worker) {
      return Promise.reject(
        new CccError('storage_failed', 'The record is being opened again; nothing was stored.'),
      );
    }
    return new Promise((resolve, reject) => {
      const id = this.#nextId++;
      this.#pending.set(id, { resolve, reject });
      if (this.#outbox.length === 0) this.#sendSoon();
      this.#outbox.push({ id, store, method, args });
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#restart) clearTimeout(this.#restart);
    const worker = this.#worker;
    if (!worker) return;
    this.#send();
    const gone = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    worker.postMessage({ kind: 'close' } satisfies Request);
    await gone;
  }

  /**
   * Calls travel together: a message costs more than most of what is asked by it. Where much is asked, those of all
   * requests that one look at the sockets has found; else those of one request, which then does not wait for others.
   */
  #sendSoon(): void {
    if (this.#pending.size > MANY_PENDING) setImmediate(() => this.#send());
    else queueMicrotask(() => this.#send());
  }

  #send(): void {
    const calls = this.#outbox;
    this.#outbox = [];
    if (calls.length === 0) return;
    try {
      this.#worker?.postMessage({ kind: 'calls', calls } satisfies Request);
    } catch {
      // Something in them is not plain data. Sent one by one, only the guilty call fails.
      for (const call of calls) this.#sendAlone(call);
    }
  }

  #sendAlone(call: Call): void {
    try {
      this.#worker?.postMessage({ kind: 'calls', calls: [call] } satisfies Request);
    } catch (cause) {
      this.#take(call.id)?.reject(new CccError('internal_error', undefined, { cause }));
    }
  }

  #take(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    return pending;
  }

  #adopt(worker: Worker): void {
    this.#worker = worker;
    worker.on('message', (reply: Reply) => {
      if (reply.kind !== 'results') return;
      this.#deaths = 0;
      for (const result of reply.results) {
        const pending = this.#take(result.id);
        if (result.ok) pending?.resolve(result.value);
        else pending?.reject(fromPlainError(result.error));
      }
    });
    let reason: unknown;
    worker.on('error', (error) => (reason = error));
    worker.once('exit', (exitCode) => this.#onExit(exitCode, reason));
  }

  #onExit(exitCode: number, reason: unknown): void {
    this.#worker = null;
    this.#outbox = [];
    const unanswered = [...this.#pending.values()];
    this.#pending.clear();
    for (const pending of unanswered) {
      pending.reject(
        new CccError(
          'storage_failed',
          'The record stopped before it answered; whether this was stored is not known.',
          {
            cause: reason,
          },
        ),
      );
    }
    if (this.#closing) return;
    this.#logger.error(
      { role: this.#options.role, exitCode, err: reason, unanswered: unanswered.length },
      'a store thread died',
    );
    this.#scheduleRestart();
  }

  #scheduleRestart(): void {
    const delay = RESTART_DELAYS_MS[Math.min(this.#deaths, RESTART_DELAYS_MS.length - 1)];
    this.#deaths += 1;
    this.#restart = setTimeout(() => {
      startWorker(this.#options).then(
        ({ worker }) => {
          if (this.#closing) void worker.terminate();
          else this.#adopt(worker);
        },
        (error: unknown) => {
          if (this.#closing) return;
          this.#logger.error({ role: this.#options.role, err: error }, 'a store thread could not be started');
          this.#scheduleRestart();
        },
      );
    }, delay);
  }
}

async function startWorker(options: ThreadOptions): Promise<{ worker: Worker; methods: MethodTable }> {
  // The build has worker.js beside this file; the sources have a starter that brings the TypeScript loader.
  const entry = import.meta.url.endsWith('.ts') ? './worker-from-sources.mjs' : './worker.js';
  const worker = new Worker(new URL(entry, import.meta.url), {
    workerData: options,
    name: `ccc-store-${options.role}`,
  });
  const reply = await new Promise<Reply>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', (code) =>
      reject(new Error(`the thread ended with code ${code} before it was ready`)),
    );
  }).catch((cause: unknown) => {
    throw new CccError('storage_failed', 'The record could not be opened.', { cause });
  });
  if (reply.kind === 'ready') return { worker, methods: reply.methods };
  throw reply.kind === 'refused' ? fromPlainError(reply.error) : new CccError('internal_error');
}
