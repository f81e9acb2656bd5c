import { silentLogger, type Logger } from '../../base/logger.ts';
import type { MemoryDAL } from '../memory-dal.ts';
import { openLocalCaller, type Caller } from './caller.ts';
import type { ThreadOptions } from './messages.ts';
import { StoreThread } from './store-thread.ts';

/**
 * Opens the record in a SQLite file, which is made when missing.
 *
 * `threads: true` gives the writing and the reading connection a worker thread each, so that neither a wait for the
 * disk nor a long query ever blocks the event loop; `false` runs the same code on this thread.
 * One process at a time should write a file: a second one waits for its lock, up to five seconds.
 *
 * @throws CccError storage_failed when the file cannot be opened, is no database, or has a schema that this code
 *   does not know
 */
export async function openSqliteStore(options: {
  file: string;
  threads: boolean;
  logger?: Logger;
}): Promise<MemoryDAL> {
  const { file, threads, logger = silentLogger } = options;
  const open = async (role: ThreadOptions['role']): Promise<Caller> =>
    threads ? StoreThread.start({ file, role }, logger) : openLocalCaller({ file, role });
  // The writer first: it makes the file and its schema.
  const writer = await open('writer');
  try {
    return assemble(writer, await open('reader'));
  } catch (error) {
    await writer.close();
    throw error;
  }
}

function assemble(writer: Caller, reader: Caller): MemoryDAL {
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
  };
  return {
    ...(Object.fromEntries(stores) as Omit<MemoryDAL, 'close'>),
    close: () => (closing ??= close()),
  };
}
