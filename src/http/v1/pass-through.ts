import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import type { ChatProvider, ForwardResponse } from '../../models/provider.ts';
import { checkAnnouncedLength, hasBody, limitBytes, wantBody } from '../body.ts';
import { callerName } from '../request-context.ts';
import { cancelOnHangUp } from '../hang-up.ts';
import { sendHead } from '../send-head.ts';

/**
 * Headers that say what a page of *this* server may do, who may read its answers, and which key it wants: never the
 * upstream's word.
 */
export const OURS =
  /^(?:access-control-|content-security-policy|cross-origin-|x-frame-options$|set-cookie|www-authenticate$)/;

/**
 * Passes a request on as it came and the answer back as it comes: no byte is parsed or written again, back-pressure
 * holds both ways, and a client that hangs up cancels the upstream's work.
 */
export function passThrough(
  provider: ChatProvider,
  options: {
    maxBody: number;
    /** The route's pattern up to where the upstream's path begins: `/v1`, `/v2/sessions/:sessionId`. */
    root: string;
  },
): (req: IncomingMessage, res: ServerResponse) => Promise<void> {
  const depth = options.root.split('/').length - 1;
  return async (req, res) => {
    checkAnnouncedLength(req, options.maxBody);
    const hangUp = cancelOnHangUp(res);
    let answer: ForwardResponse;
    try {
      answer = await provider.forward(
        {
          method: req.method ?? 'GET',
          path: withoutFirst(depth, req.url ?? '/'),
          headers: clientHeaders(req),
          body: limited(req, options.maxBody),
          lane: callerName(req, res),
        },
        hangUp.signal,
      );
    } catch (error) {
      if (hangUp.signal.aborted) return;
      throw error;
    }
    await relay(answer, res);
  };
}

/**
 * Gives an answer to the client as it comes, and ends as it ends: whole, or broken off. What has arrived together goes in
 * one piece: a model's chunks are small, and writing one costs more than what is in it. Reads no faster than the client.
 */
export function relay({ status, headers, body }: ForwardResponse, res: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const writeArrived = (): boolean => {
      const arrived = body.read() as Buffer | null;
      if (arrived !== null) res.write(arrived);
      return arrived !== null;
    };
    const brokenOff = () => {
      // What has arrived is still delivered, headers included; then the connection ends too early, as it did for us.
      if (!res.destroyed && !res.writableEnded) {
        if (!writeArrived()) sendHead(res);
        breakOff(res);
      }
    };
    body.once('error', brokenOff);
    body.once('close', () => {
      if (!body.readableEnded) brokenOff();
    });
    res.once('close', () => {
      body.destroy();
      resolve();
    });
    if (res.destroyed) {
      body.destroy();
      resolve();
      return;
    }
    for (const name in headers) {
      const value = headers[name];
      if (value !== undefined && !OURS.test(name)) res.setHeader(name, value);
    }
    res.writeHead(status);
    const pass = () => {
      if (!res.writableNeedDrain) writeArrived();
    };
    body.on('readable', pass);
    res.on('drain', pass);
    body.once('end', () => res.end());
    // A stream's headers tell the client that it has begun: they do not wait for the first token.
    if (!writeArrived() && headers['content-length'] === undefined) sendHead(res);
  });
}

/** Ends the connection too early, behind what was written; behind other answers, where it has to wait for those. */
function breakOff(res: ServerResponse): void {
  if (res.socket) res.socket.destroySoon();
  // What was written goes to the connection when it is given to this answer, and its end after that.
  else res.once('socket', (socket: Socket) => process.nextTick(() => socket.destroySoon()));
}

/** Path and query without their first segments, in the client's own spelling. */
function withoutFirst(segments: number, url: string): string {
  let at = 0;
  for (let left = segments; left > 0; left -= 1) at = url.indexOf('/', at + 1);
  return url.slice(at);
}

/** Hop-by-hop and credential headers are the provider's to remove; CCC's own stay here. */
export function clientHeaders(req: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name in req.headers) {
    const value = req.headers[name];
    if (value === undefined || name.startsWith('x-ccc-')) continue;
    headers[name] = typeof value === 'string' ? value : value.join(', ');
  }
  return headers;
}

/** The body as it arrives; one without an announced length fails where it passes the limit. */
function limited(req: IncomingMessage, maxBody: number): Readable | null {
  if (!hasBody(req)) return null;
  wantBody(req);
  if (req.headers['content-length'] !== undefined) return req;
  const limiter = limitBytes(maxBody);
  req.once('error', (error) => limiter.destroy(error));
  return req.pipe(limiter);
}
