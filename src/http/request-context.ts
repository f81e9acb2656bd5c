import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { performance } from 'node:perf_hooks';
import type { Logger } from '../base/logger.ts';
import type { Step } from './in-order.ts';
import type { HttpMetrics } from './operation/http-metrics.ts';

/** Who asks, where that is known: the holder of a key, or of one session's token. */
export interface Caller {
  kind: 'key' | 'session';
  name: string;
  /** Most requests a minute; null when only the server's own limit holds. */
  perMinute: number | null;
}

interface RequestContext {
  requestId: string;
  root: Logger;
  logger?: Logger;
  caller?: Caller;
  /** The route's pattern, for those that Express's router does not know. */
  route?: string;
}

const contexts = new WeakMap<ServerResponse, RequestContext>();

/** A client's own id is kept when it is short and plain: it goes into the log and back into a header. */
const SANE_ID = /^[\w.:-]{1,128}$/;

/** Gives each request an id, one line in the log when it ends, and its place in the metrics. */
export function requestContext(logger: Logger, metrics: HttpMetrics): Step {
  // A line has fixed fields and none of them is secret: looking for secrets in each would cost more than writing it.
  const access = logger.child({}, { redact: [] });
  return (req, res, next) => {
    const begun = performance.now();
    const given = req.headers['x-request-id'];
    const requestId = typeof given === 'string' && SANE_ID.test(given) ? given : `req_${randomUUID()}`;
    res.setHeader('x-request-id', requestId);
    contexts.set(res, { requestId, root: logger });
    // Kept here: a request that was destroyed has no socket any more.
    const { socket } = req;
    const written = socket.bytesWritten;
    res.once('close', () => {
      const ms = performance.now() - begun;
      const route = routeName(res);
      metrics.observe(req.method ?? '', route, res.statusCode, ms);
      access.info(
        {
          request_id: requestId,
          method: req.method,
          // The pattern: paths hold ids, queries hold what was asked.
          route,
          status: res.statusCode,
          ms: Math.round(ms * 10) / 10,
          bytes: socket.bytesWritten - written,
          ...keyName(res),
          ...(res.writableFinished ? {} : { aborted: true }),
        },
        'request',
      );
    });
    next();
  };
}

/** Names of keys are the operator's own; ids of sessions belong neither into the log nor here. */
function keyName(res: ServerResponse): { key?: string } {
  const caller = contexts.get(res)?.caller;
  return caller?.kind === 'key' ? { key: caller.name } : {};
}

/** The logger of the request that is being answered. Made on demand: most requests say nothing of their own. */
export function requestLogger(res: ServerResponse): Logger | undefined {
  const context = contexts.get(res);
  if (context) context.logger ??= context.root.child({ request_id: context.requestId });
  return context?.logger;
}

/** Says which route answers, where it is not one of Express's. */
export function nameRoute(res: ServerResponse, route: string): void {
  const context = contexts.get(res);
  if (context) context.route = route;
}

export function nameCaller(res: ServerResponse, caller: Caller): void {
  const context = contexts.get(res);
  if (context) context.caller = caller;
}

export function callerOf(res: ServerResponse): Caller | undefined {
  return contexts.get(res)?.caller;
}

/** Who asks, for limits that are each caller's own: a key, a session by its token, else an address. */
export function callerName(req: IncomingMessage, res: ServerResponse): string {
  const caller = callerOf(res);
  return caller ? `${caller.kind} ${caller.name}` : `address ${req.socket.remoteAddress ?? 'unknown'}`;
}

/** The route's pattern, never the path itself: ids belong neither into metrics nor into the log. */
function routeName(res: ServerResponse): string {
  const path = (res.req as { route?: { path?: unknown } }).route?.path ?? contexts.get(res)?.route;
  return typeof path === 'string' ? path : 'other';
}
