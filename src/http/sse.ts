import { once } from 'node:events';
import type { ServerResponse } from 'node:http';

/** Some proxies give a silent connection up after 30 or 60 s, some clients after 300 s. */
export const HEARTBEAT_MS = 15_000;

export interface SseEvent {
  /** Name of the event; none on an OpenAI stream, where named events break clients. */
  event?: string;
  id?: string;
  /** Sent as JSON. */
  data: unknown;
}

/**
 * Writes one event stream (WHATWG HTML, 9.2). Headers go out at once, then a comment whenever nothing was said for a
 * while. A write resolves when the client can take more, and at once when it has gone: `signal` tells.
 * Whoever makes one calls `close` in a `finally`.
 */
export class SseWriter {
  readonly #res: ServerResponse;
  readonly #gone = new AbortController();
  readonly #heartbeat: NodeJS.Timeout;

  /** @param heartbeatMs silence after which a comment is sent, in milliseconds */
  constructor(res: ServerResponse, heartbeatMs: number = HEARTBEAT_MS) {
    this.#res = res;
    // `req` closes as soon as its body has been read; only `res` tells that the client hung up.
    res.once('close', () => {
      clearInterval(this.#heartbeat);
      if (!res.writableFinished) this.#gone.abort();
    });
    this.#heartbeat = setInterval(() => {
      if (!res.writableNeedDrain) this.#write(': keep-alive\n\n');
    }, heartbeatMs).unref();
    if (res.destroyed) {
      this.#gone.abort();
      return;
    }
    res.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
    });
    res.flushHeaders();
    res.socket?.setNoDelay(true);
  }

  /** Aborts when the client has gone before the end. */
  get signal(): AbortSignal {
    return this.#gone.signal;
  }

  /** @throws TypeError on a line break in a name or an id: it would let a value write fields of its own */
  send(event: SseEvent): Promise<void> {
    const id = event.id === undefined ? '' : `id: ${oneLine(event.id, 'id')}\n`;
    const name = event.event === undefined ? '' : `event: ${oneLine(event.event, 'event')}\n`;
    return this.raw(`${id}${name}data: ${JSON.stringify(event.data)}\n\n`);
  }

  comment(text: string): Promise<void> {
    return this.raw(`: ${oneLine(text, 'comment')}\n\n`);
  }

  /** Bytes that are whole events already. */
  async raw(bytes: string | Uint8Array): Promise<void> {
    if (this.#write(bytes) || this.#gone.signal.aborted) return;
    try {
      await once(this.#res, 'drain', { signal: this.#gone.signal });
    } catch (error) {
      if (!this.#gone.signal.aborted) throw error;
    }
  }

  /** Ends the stream in good order. May be called twice. */
  close(): void {
    clearInterval(this.#heartbeat);
    if (!this.#res.writableEnded) this.#res.end();
  }

  /** True when more may be written at once. */
  #write(bytes: string | Uint8Array): boolean {
    if (this.#gone.signal.aborted || this.#res.writableEnded || this.#res.destroyed) return true;
    this.#heartbeat.refresh();
    return this.#res.write(bytes);
  }
}

function oneLine(text: string, what: string): string {
  if (/[\r\n\0]/.test(text)) throw new TypeError(`An SSE ${what} must not hold a line break.`);
  return text;
}
