import { CccError } from '../../base/ccc-error.ts';
import { openReaderEngine, openWriterEngine, type Engine, type MethodTable } from './engine.ts';
import type { ThreadOptions } from './messages.ts';

/** Something that carries out store methods: an engine on this thread, or one behind a port. */
export interface Caller {
  readonly methods: MethodTable;
  call(store: string, method: string, args: unknown[]): Promise<unknown>;
  /** Finishes what was begun. Later calls are refused. */
  close(): Promise<void>;
}

/** The error for calls that come after `close`. */
export function closedError(): CccError {
  return new CccError('storage_failed', 'The record is closed.');
}

/** Carries out store methods on this thread: for tests, examples and scripts. */
export function openLocalCaller({ file, key, role }: ThreadOptions): Caller {
  const engine: Engine = role === 'writer' ? openWriterEngine(file, key) : openReaderEngine(file, key);
  let open = true;
  return {
    methods: engine.methods,
    call: (store, method, args) =>
      new Promise((resolve, reject) => {
        if (!open) {
          reject(closedError());
          return;
        }
        engine.call(store, method, args, (outcome) => {
          if (outcome.ok) resolve(outcome.value);
          else reject(outcome.error);
        });
      }),
    close: () => {
      open = false;
      engine.close();
      return Promise.resolve();
    },
  };
}
