import type { ServerResponse } from 'node:http';

const NOTHING = Buffer.alloc(0);
const BODILESS = new Set([204, 304]);

/**
 * Sends status and headers before there is anything of the body. Not by `flushHeaders` where a body may follow: that writes
 * them in UTF-8, and the upstream's bytes beyond ASCII, which node reads as Latin-1, would be others.
 */
export function sendHead(res: ServerResponse): void {
  if (res.req.method === 'HEAD' || BODILESS.has(res.statusCode)) res.flushHeaders();
  else res.write(NOTHING);
}
