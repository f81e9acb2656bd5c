import type { Request, Response } from 'express';
import { callerName } from '../request-context.ts';
import { cancelOnHangUp } from '../hang-up.ts';
import { relay } from '../v1/pass-through.ts';
import type { ChatParts } from './parts.ts';
import { forwardHeaders } from './transport.ts';

/** Stage 1 for a body that has been read: the upstream's answer as it comes, nothing added, nothing kept. */
export async function stageOne(
  { provider }: Pick<ChatParts, 'provider'>,
  req: Request,
  res: Response,
  path: string,
  body: Buffer | null,
): Promise<void> {
  const hangUp = cancelOnHangUp(res);
  try {
    const upstream = await provider.forward(
      { method: req.method, path, headers: forwardHeaders(req), body, lane: callerName(req, res) },
      hangUp.signal,
    );
    await relay(upstream, res);
  } catch (error) {
    if (!hangUp.signal.aborted) throw error;
  }
}
