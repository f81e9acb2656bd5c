import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { CccError } from '../base/ccc-error.ts';
import type { ErrorCode } from '../base/error-codes.ts';
import { holdContinue } from './body.ts';

/** In milliseconds. */
const TIME_LIMITS = {
  /** For a request's headers: a slow loris does not hold a connection for long. */
  headersTimeout: 20_000,
  /** For a whole request: 20 MB at half a megabit a second. Answers may take as long as they like. */
  requestTimeout: 300_000,
  /** Longer than clients and proxies keep an idle connection, so that it is not we who close it under a request. */
  keepAliveTimeout: 75_000,
  connectionsCheckingInterval: 5_000,
};

export interface HttpServer {
  /** Resolves with the port. @throws the system's error (EADDRINUSE, EACCES, …) */
  listen(host: string, port: number): Promise<number>;
  /** Takes no more connections and resolves when all answers are given, at the latest after `limitMs`. */
  stop(limitMs: number): Promise<void>;
}

/** A node:http server with time-outs, errors in the contract's shape, and an orderly end. */
export function createHttpServer(
  listener: RequestListener,
  limits: Partial<typeof TIME_LIMITS> = {},
): HttpServer {
  const active = new Set<ServerResponse>();
  const bySocket = new WeakMap<Socket, Set<ServerResponse>>();
  let stopping = false;
  let whenQuiet: () => void = () => undefined;

  const serve = (req: IncomingMessage, res: ServerResponse): void => {
    const { socket } = req;
    active.add(res);
    bySocket.get(socket)?.add(res);
    res.once('close', () => {
      active.delete(res);
      bySocket.get(socket)?.delete(res);
      if (stopping && active.size === 0) whenQuiet();
    });
    listener(req, res);
  };

  const server = createServer(
    {
      ...TIME_LIMITS,
      ...limits,
      // Streams are many small writes.
      noDelay: true,
    },
    serve,
  );
  server.on('checkContinue', (req: IncomingMessage, res: ServerResponse) => {
    holdContinue(req, () => {
      res.writeContinue();
    });
    serve(req, res);
  });
  server.on('clientError', answerBrokenRequest);
  server.on('connection', (socket: Socket) => {
    const responses = new Set<ServerResponse>();
    bySocket.set(socket, responses);
    socket.once('close', () => {
      for (const res of responses) if (!res.socket) endUnheard(res);
    });
  });

  return {
    listen: (host, port) =>
      new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen({ host: host.replace(/^\[|\]$/g, ''), port }, () => {
          server.off('error', reject);
          resolve((server.address() as AddressInfo).port);
        });
      }),
    async stop(limitMs) {
      stopping = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const res of active) if (!res.headersSent) res.setHeader('connection', 'close');
      if (active.size > 0) {
        let timer: NodeJS.Timeout | undefined;
        await new Promise<void>((resolve) => {
          whenQuiet = resolve;
          timer = setTimeout(resolve, limitMs);
        });
        clearTimeout(timer);
        // The last bytes are on their way: let the sockets flush.
        await new Promise((resolve) => setImmediate(resolve));
      }
      server.closeAllConnections();
      await closed;
    },
  };
}

/**
 * Ends an answer that waits behind another on a connection that is gone: node tells only the one before it, and what works for
 * this one would go on for nobody.
 */
function endUnheard(res: ServerResponse): void {
  res.destroy();
  res.emit('close');
}

const BROKEN: Record<string, ErrorCode> = {
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
};

/** What is not HTTP, too large or too slow never becomes a request: it is answered here, in the same shape. */
function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  const answering = (socket as { _httpMessage?: ServerResponse | null })._httpMessage;
  if (error.code === 'ECONNRESET' || !socket.writable || answering?.headersSent === true) {
    socket.destroy();
    return;
  }
  const code = BROKEN[error.code ?? ''];
  const known = code ? new CccError(code) : new CccError('invalid_request', 'This is not valid HTTP.');
  const body = JSON.stringify(known.toBody());
  socket.end(
    `HTTP/1.1 ${String(known.status)} ${REASONS[known.status] ?? 'Error'}\r\n` +
      'connection: close\r\ncontent-type: application/json; charset=utf-8\r\ncache-control: no-store\r\n' +
      "x-content-type-options: nosniff\r\ncontent-security-policy: default-src 'none'; frame-ancestors 'none'\r\n" +
      `content-length: ${String(Buffer.byteLength(body))}\r\n\r\n${body}`,
  );
}

const REASONS: Record<number, string> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
};
