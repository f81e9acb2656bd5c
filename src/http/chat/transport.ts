import type { Request, Response } from 'express';
import type { ForwardResponse } from '../../models/provider.ts';
import { clientHeaders, OURS } from '../v1/pass-through.ts';

/** The client's headers for the upstream; the length is that of the body it will get. */
export function forwardHeaders(req: Request): Record<string, string> {
  const { 'content-length': _length, ...headers } = clientHeaders(req);
  return headers;
}

/** The request's query with its question mark, for an upstream that wants one. */
export function queryOf(req: Request): string {
  return /\?.*$/.exec(req.url)?.[0] ?? '';
}

/** The upstream's headers for a body that is longer than the upstream's. */
export function copyHeaders(res: Response, headers: ForwardResponse['headers']): void {
  for (const [name, value] of Object.entries(headers)) {
    if (name !== 'content-length' && !OURS.test(name)) res.setHeader(name, value);
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
