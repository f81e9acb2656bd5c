import { resolve } from 'node:path';
import { silentLogger, type Logger } from '../../base/logger.ts';
import type { MemoryDAL } from '../memory-dal.ts';
import { openLocalCaller, type Caller } from './caller.ts';
import { requireFittingSeal } from './encryption.ts';
import type { ThreadOptions } from './messages.ts';
import { NEARBY, type Nearby } from '../nearby.ts';
import { StoreThread } from './store-thread.ts';

/** How many stores of this process have each file open. */
const openFiles = new Map<string, number>();

/**
 * Opens the record in a SQLite file, which is made when missing.
 *
 * `threads: true` gives the writing and the reading connection a worker thread each, so that neither a wait for the
 * disk nor a long query ever blocks the event loop; `false` runs the same code on this thread.
 * One process at a time should write a file: a second one waits for its lock, up to five seconds.
 *
 * @throws CccError storage_failed when the file cannot be opened, is no database, has a schema that this code does not
 *   know, or when the key does not fit it: then nothing is touched
 */
export async function openSqliteStore(options: {
  file: string;
  threads: boolean;
  /** Encrypts the whole file, its indexes and its log, with this passphrase; without one it is in clear. */
  key?: string | null;
  /** A `NearbyModule` for the reading thread; of no use without threads. */
  nearby?: URL;
  logger?: Logger;
}): Promise<MemoryDAL> {
  const { file, threads, key = null, nearby, logger = silentLogger } = options;
  const open = async (role: ThreadOptions['role']): Promise<Caller> =>
    threads
      ? StoreThread.start({ file, key, role, nearby: role === 'reader' ? nearby?.href : undefined }, logger)
      : openLocalCaller({ file, key, role });
  const path = resolve(file);
  if ((openFiles.get(path) ?? 0) === 0) requireFittingSeal(file, key);
  // The writer first: it makes the file and its schema.
  const writer = await open('writer');
  try {
    const reader = await open('reader');
    openFiles.set(path, (openFiles.get(path) ?? 0) + 1);
    return assemble(writer, reader, () => openFiles.set(path, (openFiles.get(path) ?? 1) - 1));
  } catch (error) {
    await writer.close();
    throw error;
  }
}

function assemble(writer: Caller, reader: Caller, closed: () => void): MemoryDAL {
  const stores = Object.entries(writer.methods).map(([store, methods]) => [
    store,
    Object.fromEntries(
      Object.entries(methods).map(([method, writes]) => {
        const caller = writes ? writer : reader;
        return [method, (...args: unknown[]) => caller.call(store, method, args)];
      }),
    ),
  ]);
  let closing: Promise<void> | null = null;
  const close = async () => {
    // The reader first: the last connection that closes writes the log back into the file.
    await reader.close();
    await writer.close();
    closed();
  };
  return {
    ...(Object.fromEntries(stores) as Omit<MemoryDAL, 'close' | 'shared' | 'nearby'>),
    shared: null,
    nearby: nearbyOf(reader),
    close: () => (closing ??= close()),
  };
}

function nearbyOf(reader: Caller): Nearby | null {
  const methods = reader.methods[NEARBY];
  if (!methods) return null;
  return Object.fromEntries(
    Object.keys(methods).map((method) => [
      method,
      (question: never) => reader.call(NEARBY, method, [question]),
    ]),
  );
}
