import { pipeline } from 'node:stream/promises';
import type { Readable } from 'node:stream';
import type { Request, RequestHandler } from 'express';
import type { ChatProvider } from '../../models/provider.ts';
import { checkAnnouncedLength, hasBody, limitBytes, wantBody } from '../body.ts';
import { cancelOnHangUp } from '../hang-up.ts';

/**
 * Passes a request on as it came and the answer back as it comes: no byte is parsed or written again, back-pressure
 * holds both ways, and a client that hangs up cancels the upstream's work.
 */
export function passThrough(
  provider: ChatProvider,
  /** `root` is what stands before the upstream's path in `req.url`; nothing does in a router that is mounted there. */
  options: { maxBody: number; root?: '/v1' | '' },
): RequestHandler {
  return async (req, res) => {
    const path = pathBelow(options.root ?? '/v1', req.url);
    checkAnnouncedLength(req, options.maxBody);
    const hangUp = cancelOnHangUp(res);
    try {
      const answer = await provider.forward(
        { method: req.method, path, headers: clientHeaders(req), body: limited(req, options.maxBody) },
        hangUp.signal,
      );
      // The security headers of this server stay: an upstream's page must not run as one of ours.
      for (const [name, value] of Object.entries(answer.headers)) res.setHeader(name, value);
      res.writeHead(answer.status);
      // A stream's headers tell the client that it has begun; they must not wait for the first token.
      if (answer.headers['content-length'] === undefined) res.flushHeaders();
      await pipeline(answer.body, res);
    } catch (error) {
      if (hangUp.signal.aborted) return;
      // After the first byte the client sees what the upstream let it see: a connection that broke.
      if (res.headersSent) res.destroy();
      else throw error;
    }
  };
}

/** Path and query below a root, in the client's own spelling. */
function pathBelow(root: string, url: string): string {
  return url.slice(root.length);
}

/** Hop-by-hop and credential headers are the provider's to remove; CCC's own stay here. */
function clientHeaders(req: Request): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name in req.headers) {
    const value = req.headers[name];
    if (value === undefined || name.startsWith('x-ccc-')) continue;
    headers[name] = typeof value === 'string' ? value : value.join(', ');
  }
  return headers;
}

/** The body as it arrives; one without an announced length fails where it passes the limit. */
function limited(req: Request, maxBody: number): Readable | null {
  if (!hasBody(req)) return null;
  wantBody(req);
  if (req.headers['content-length'] !== undefined) return req;
  const limiter = limitBytes(maxBody);
  req.once('error', (error) => limiter.destroy(error));
  return req.pipe(limiter);
}
