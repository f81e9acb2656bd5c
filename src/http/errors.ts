import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ErrorRequestHandler, RequestHandler } from 'express';
import { CccError } from '../base/ccc-error.ts';
import type { Logger } from '../base/logger.ts';
import { errorForLog, UpstreamError } from '../models/upstream-error.ts';
import { requestLogger } from './request-context.ts';

/** How long a client may go on sending a body that nobody wants, after it was answered, in milliseconds. */
const LINGER_MS = 2_000;

/** What is sent for an error of any kind: an OpenAI-shaped body, and nothing that a client should not see. */
export function describeError(error: unknown): {
  status: number;
  headers: Record<string, string>;
  body: unknown;
} {
  if (error instanceof UpstreamError) {
    return { status: error.status, headers: error.headers, body: { error: error.error } };
  }
  const known = error instanceof CccError ? error : asCccError(error);
  return { status: known.status, headers: {}, body: known.toBody() };
}

/** Express and its parts throw errors with a status of their own; all else that is not known is a fault of this server. */
function asCccError(error: unknown): CccError {
  const status = (error as { status?: unknown } | null)?.status;
  if (error instanceof URIError || status === 400) {
    return new CccError('invalid_request', 'The address is not well formed.', { cause: error });
  }
  if (status === 403 || status === 404) return new CccError('unknown_route', undefined, { cause: error });
  return new CccError('internal_error', undefined, { cause: error });
}

/** Answers with an error. After the first byte nothing can be said any more: the connection is cut, loudly. */
export function sendError(res: ServerResponse, error: unknown): void {
  // Nobody is there to hear it.
  if (res.destroyed || res.writableEnded) return;
  if (res.headersSent) {
    res.destroy();
    return;
  }
  const { status, headers, body } = describeError(error);
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
  const bytes = Buffer.from(JSON.stringify(body));
  res.removeHeader('content-encoding');
  res.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': bytes.length,
    'cache-control': 'no-store',
  });
  res.end(res.req.method === 'HEAD' ? undefined : bytes);
  linger(res);
}

/**
 * A client that is still sending gets a moment to notice the answer: to close at once would reset the connection and
 * take the answer with it. Then the connection ends, so that nobody uploads into the void for ever.
 */
function linger({ req }: ServerResponse): void {
  if (req.complete || req.destroyed) return;
  const { socket } = req;
  const timer = setTimeout(() => socket.destroy(), LINGER_MS).unref();
  const stop = () => {
    clearTimeout(timer);
    // The connection may live on and bring many more requests.
    req.off('end', stop);
    socket.off('close', stop);
  };
  req.once('end', stop);
  socket.once('close', stop);
}

/** Where every error ends: the log says what this server did wrong, the client what it has to know. */
export function answerErrors(logger: Logger): (error: unknown, res: ServerResponse) => void {
  return (error, res) => {
    const { status } = describeError(error);
    const foreign = !(error instanceof CccError || error instanceof UpstreamError);
    if (status >= 500 || (foreign && res.headersSent)) {
      (requestLogger(res) ?? logger).error({ ...errorForLog(error), status }, 'request failed');
    }
    sendError(res, error);
  };
}

/** The same as Express's last handler. */
export function errorHandler(logger: Logger): ErrorRequestHandler {
  const answer = answerErrors(logger);
  return (error, _req, res, _next) => {
    answer(error, res);
  };
}

/** Nothing is at this path. */
export const unknownRoute: RequestHandler = (req) => {
  throw new CccError('unknown_route', `There is nothing at ${req.method} ${req.baseUrl}${req.path}.`);
};

/** The path exists, but not for this method. To be put behind the handlers of a path. */
export function methodNotAllowed(...allowed: string[]): (req: IncomingMessage, res: ServerResponse) => void {
  const names = allowed.includes('GET') ? ['HEAD', ...allowed] : allowed;
  const allow = [...new Set(names), 'OPTIONS'].join(', ');
  return (req, res) => {
    res.setHeader('allow', allow);
    if (req.method === 'OPTIONS') {
      res.writeHead(204).end();
      return;
    }
    throw new CccError('method_not_allowed', `${req.method ?? ''} is not allowed here; allowed: ${allow}.`);
  };
}
