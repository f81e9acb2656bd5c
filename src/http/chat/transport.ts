import type { Request, Response } from 'express';

/** The client's headers for the upstream. Hop-by-hop and credential headers are the provider's to remove. */
export function forwardHeaders(req: Request): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(req.headers)) {
    if (value === undefined || name === 'content-length' || name.startsWith('x-ccc-')) continue;
    headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return headers;
}

/** The upstream's headers, as they came; without the length when the body will not be as it came. */
export function copyHeaders(
  res: Response,
  headers: Record<string, string | string[]>,
  sameLength: boolean,
): void {
  for (const [name, value] of Object.entries(headers)) {
    if (name === 'content-length' && !sameLength) continue;
    res.setHeader(name, value);
  }
}

export function sendIdHeaders(
  res: Response,
  ids: { sessionId: string | null; conversationId: string | null; cycleId?: string },
): void {
  if (ids.sessionId !== null) res.setHeader('x-ccc-session-id', ids.sessionId);
  if (ids.conversationId !== null) res.setHeader('x-ccc-conversation-id', ids.conversationId);
  if (ids.cycleId !== undefined) res.setHeader('x-ccc-cycle-id', ids.cycleId);
}

/** Writes and waits until there is room for more. False when the client is gone. */
export function write(res: Response, bytes: Buffer | string): Promise<boolean> {
  if (res.destroyed || res.writableEnded) return Promise.resolve(false);
  if (res.write(bytes)) return Promise.resolve(true);
  return new Promise((resolve) => {
    const settle = (room: boolean) => () => {
      res.off('drain', onDrain);
      res.off('close', onClose);
      resolve(room);
    };
    const onDrain = settle(true);
    const onClose = settle(false);
    res.on('drain', onDrain);
    res.on('close', onClose);
  });
}
