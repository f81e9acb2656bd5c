import { parentPort, workerData } from 'node:worker_threads';
import type { NearbyModule } from '../nearby-module.ts';
import { openReaderEngine, openWriterEngine, type Engine } from './engine.ts';
import { asCccError, toPlainError } from './error-crossing.ts';
import { transferables, type Reply, type Request, type Result, type ThreadOptions } from './messages.ts';

/** Results wait for others that are ready at once, and no longer than this: a message costs a tenth of it. */
const SEND_AFTER_MS = 0.2;

/** The entry of a store thread: one connection, asked over the port. Exits when told to close. */
async function serve(port: NonNullable<typeof parentPort>, options: ThreadOptions): Promise<void> {
  const post = (reply: Reply, moved: Iterable<ArrayBuffer> = []) => {
    port.postMessage(reply, [...moved]);
  };
  let engine: Engine;
  try {
    const { file, key, role, nearby } = options;
    const module = nearby === undefined ? null : ((await import(nearby)) as NearbyModule);
    engine = role === 'writer' ? openWriterEngine(file, key) : openReaderEngine(file, key, module);
  } catch (error) {
    post({ kind: 'refused', error: toPlainError(asCccError(error)) });
    port.close();
    return;
  }

  let results: Result[] = [];
  let moved = new Set<ArrayBuffer>();
  const send = () => {
    if (results.length === 0) return;
    const message: Reply = { kind: 'results', results };
    const buffers = moved;
    results = [];
    moved = new Set();
    post(message, buffers);
  };

  const close = async () => {
    await engine.answered?.();
    // Flushes what is queued; its results are in `results` before they are sent.
    engine.close();
    send();
    port.close();
  };

  port.on('message', (request: Request) => {
    if (request.kind === 'close') {
      void close();
      return;
    }
    let sent = performance.now();
    for (const { id, store, method, args } of request.calls) {
      engine.call(store, method, args, (outcome) => {
        // Results that are settled together travel together.
        if (results.length === 0) queueMicrotask(send);
        if (outcome.ok) {
          results.push({ id, ok: true, value: outcome.value });
          transferables(outcome.value, moved);
        } else {
          results.push({ id, ok: false, error: toPlainError(outcome.error) });
        }
      });
      // What is ready need not wait for the calls behind it: who asked can go on meanwhile.
      if (results.length > 0 && performance.now() - sent > SEND_AFTER_MS) {
        send();
        sent = performance.now();
      }
    }
  });
  post({ kind: 'ready', methods: engine.methods });
}

if (parentPort) await serve(parentPort, workerData as ThreadOptions);
