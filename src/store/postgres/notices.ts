import { Client } from 'pg';
import type { Logger } from '../../base/logger.ts';
import type { NoticeListener, RecordNotice, RecordNotices } from '../shared-record.ts';
import type { Connections } from './connections.ts';

/** The first wait before a lost connection is made again, and the longest, in milliseconds. Doubles with each try. */
const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 5_000;

const CHANNELS: Record<string, (payload: string) => RecordNotice> = {
  ccc_cycle: (cycleId) => ({ kind: 'cycle', cycleId }),
  ccc_cancel: (cycleId) => ({ kind: 'cancel', cycleId }),
  ccc_erased: (sessionId) => ({ kind: 'erased', sessionId }),
};

/**
 * Hears what servers tell each other, on a connection that does nothing else (LISTEN). It is made with the first listener,
 * and made again as often as it breaks.
 */
export class PostgresNotices implements RecordNotices {
  readonly #url: string;
  readonly #connections: Connections;
  readonly #logger: Logger;
  readonly #listeners = new Set<NoticeListener>();
  #client: Client | null = null;
  #timer: NodeJS.Timeout | null = null;
  #began = false;
  #closed = false;

  constructor(url: string, connections: Connections, logger: Logger) {
    this.#url = url;
    this.#connections = connections;
    this.#logger = logger;
  }

  listen(listener: NoticeListener): () => void {
    this.#listeners.add(listener);
    if (!this.#began) {
      this.#began = true;
      void this.#connect(FIRST_WAIT_MS);
    }
    return () => this.#listeners.delete(listener);
  }

  async askToCancel(cycleId: string): Promise<void> {
    await this.#connections.read((db) => db.run(`SELECT pg_notify('ccc_cancel', $1)`, cycleId));
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer) clearTimeout(this.#timer);
    await this.#client?.end().catch(() => undefined);
  }

  async #connect(waitMs: number): Promise<void> {
    const client = new Client({
      connectionString: this.#url,
      application_name: 'ccc notices',
      keepAlive: true,
      connectionTimeoutMillis: LONGEST_WAIT_MS,
    });
    this.#client = client;
    let lost = false;
    const again = (error?: unknown) => {
      if (lost || this.#closed) return;
      lost = true;
      this.#logger.warn({ err: error }, 'what other servers tell is not heard for a moment');
      client.removeAllListeners('notification');
      client.end().catch(() => undefined);
      this.#timer = setTimeout(
        () => void this.#connect(Math.min(LONGEST_WAIT_MS, waitMs * 2)),
        waitMs,
      ).unref();
    };
    client.on('error', again);
    client.on('end', again);
    client.on('notification', ({ channel, payload }) => {
      const notice = CHANNELS[channel]?.(payload ?? '');
      if (notice) for (const listener of this.#listeners) listener.heard(notice);
    });
    try {
      await client.connect();
      for (const channel of Object.keys(CHANNELS)) await client.query(`LISTEN ${channel}`);
    } catch (error) {
      again(error);
      return;
    }
    // Before the first connection, too, something may have been told.
    for (const listener of this.#listeners) listener.missed();
    waitMs = FIRST_WAIT_MS;
  }
}
