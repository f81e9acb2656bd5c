/**
 * HTTP/1.1 over raw sockets: the client must cost less than what it measures. Each connection has one request at a time.
 */
import { createHash } from 'node:crypto';
import { connect, type Socket } from 'node:net';

export interface Load {
  port: number;
  path: string;
  headers: Record<string, string>;
  /**
   * Of n connections the first sends body 0, n, 2n …, the second 1, n + 1 …, from the first body again after the last. In
   * each request the word NUMBER in it becomes another number of six digits, so that no request is a repetition.
   */
  bodies: string[];
  connections: number;
  /** How long to keep asking, in milliseconds. */
  forMs: number;
  /** Ends before that when so many requests were sent. */
  requests?: number;
}

export interface LoadResult {
  requests: number;
  /** Answers that were no 200; their statuses. */
  failures: Record<string, number>;
  elapsedMs: number;
  /** Body bytes received; of a stream without its framing. */
  bytes: number;
  /** To the body's first byte and to its last, in milliseconds from the request; at the percentiles 50 and 99. */
  firstByte: Percentiles;
  whole: Percentiles;
  /** SHA-256 of the first answer's body. */
  firstBody: string;
}

export interface Percentiles {
  p50: number;
  p99: number;
}

/** One answer, read from a connection that has nothing else on it. */
class AnswerReader {
  status = 0;
  body: Buffer[] = [];
  #head: Buffer = Buffer.alloc(0);
  #left: number | null = null;
  #chunked: ChunkedBody | null = null;

  /** Takes what has arrived; true when the answer is whole. */
  take(part: Buffer): boolean {
    let rest = part;
    if (this.#left === null && !this.#chunked) {
      this.#head = Buffer.concat([this.#head, part]);
      const end = this.#head.indexOf('\r\n\r\n');
      if (end === -1) return false;
      const head = this.#head.toString('latin1', 0, end);
      rest = this.#head.subarray(end + 4);
      this.status = Number(head.slice(9, 12));
      const [, length] = /\r\ncontent-length: *(\d+)/i.exec(head) ?? [];
      if (length === undefined) this.#chunked = new ChunkedBody();
      else this.#left = Number(length);
    }
    if (this.#chunked) return this.#chunked.take(rest, this.body);
    if (rest.length > 0) this.body.push(rest);
    this.#left = (this.#left ?? 0) - rest.length;
    return this.#left <= 0;
  }
}

/** RFC 9112, 7.1: sizes in hexadecimal, each chunk after its size, a chunk of size 0 at the end. */
class ChunkedBody {
  #pending: Buffer = Buffer.alloc(0);
  #left = 0;

  take(part: Buffer, into: Buffer[]): boolean {
    let bytes = this.#pending.length > 0 ? Buffer.concat([this.#pending, part]) : part;
    for (;;) {
      if (this.#left > 0) {
        const piece = bytes.subarray(0, this.#left);
        into.push(piece);
        this.#left -= piece.length;
        bytes = bytes.subarray(piece.length);
        if (this.#left > 0) break;
      }
      // The line break that ends the chunk before, then the line of the next one's size.
      const from = bytes[0] === 0x0d ? 2 : 0;
      const end = bytes.indexOf('\r\n', from);
      if (end === -1) break;
      const size = Number.parseInt(bytes.toString('latin1', from, end), 16);
      if (size === 0) return true;
      this.#left = size;
      bytes = bytes.subarray(end + 2);
    }
    this.#pending = bytes;
    return false;
  }
}

/** A request as bytes, of which each next one differs in its number only. */
class NumberedRequest {
  readonly #bytes: Buffer;
  readonly #at: number[] = [];
  #number = 0;

  constructor({ port, path, headers }: Load, body: string) {
    const lines = { host: `127.0.0.1:${String(port)}`, ...headers };
    const head = Object.entries(lines).map(([name, value]) => `${name}: ${value}\r\n`);
    this.#bytes = Buffer.from(
      `POST ${path} HTTP/1.1\r\n${head.join('')}content-length: ${String(Buffer.byteLength(body))}\r\n\r\n${body}`,
    );
    for (let at = -1; (at = this.#bytes.indexOf('NUMBER', at + 1)) !== -1;) this.#at.push(at);
  }

  next(): Buffer {
    if (this.#at.length === 0) return this.#bytes;
    this.#number += 1;
    const bytes = Buffer.from(this.#bytes);
    for (const at of this.#at) bytes.write(String(this.#number).padStart(6, '0'), at, 'latin1');
    return bytes;
  }
}

export async function run(load: Load): Promise<LoadResult> {
  const requests = load.bodies.map((body) => new NumberedRequest(load, body));
  const result = { requests: 0, bytes: 0, failures: {} as Record<string, number>, firstBody: '' };
  const firstBytes: number[] = [];
  const wholes: number[] = [];
  const begun = performance.now();
  let asked = 0;

  const connection = (number: number) =>
    new Promise<void>((resolve, reject) => {
      let at = number;
      const socket: Socket = connect({ host: '127.0.0.1', port: load.port, noDelay: true });
      let sent = 0;
      let first = 0;
      let reader = new AnswerReader();
      const ask = () => {
        if (performance.now() - begun >= load.forMs || asked === (load.requests ?? -1)) {
          socket.destroy();
          resolve();
          return;
        }
        reader = new AnswerReader();
        first = 0;
        const request = requests[at % requests.length];
        at += load.connections;
        asked += 1;
        sent = performance.now();
        if (request) socket.write(request.next());
      };
      socket.on('connect', ask);
      socket.on('data', (part: Buffer) => {
        const whole = reader.take(part);
        if (first === 0 && reader.body.length > 0) first = performance.now();
        if (!whole) return;
        const now = performance.now();
        firstBytes.push(first - sent);
        wholes.push(now - sent);
        result.requests += 1;
        if (result.requests === 1) result.firstBody = sha(reader.body);
        for (const piece of reader.body) result.bytes += piece.length;
        if (reader.status !== 200) {
          result.failures[reader.status] = (result.failures[reader.status] ?? 0) + 1;
        }
        ask();
      });
      socket.on('error', reject);
      socket.on('end', () => {
        reject(new Error(`Port ${String(load.port)} closed a connection in the middle of an answer.`));
      });
    });
  await Promise.all(Array.from({ length: load.connections }, (_, number) => connection(number)));
  return {
    ...result,
    elapsedMs: performance.now() - begun,
    firstByte: percentiles(firstBytes),
    whole: percentiles(wholes),
  };
}

function sha(parts: readonly Buffer[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}

function percentiles(values: number[]): Percentiles {
  const sorted = Float64Array.from(values).sort();
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { p50: at(0.5), p99: at(0.99) };
}
