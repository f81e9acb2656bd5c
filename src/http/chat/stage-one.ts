import type { Request, Response } from 'express';
import { cancelOnHangUp } from '../hang-up.ts';
import type { ChatParts } from './parts.ts';
import { copyHeaders, forwardHeaders, write } from './transport.ts';

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
      { method: req.method, path, headers: forwardHeaders(req), body },
      hangUp.signal,
    );
    res.status(upstream.status);
    copyHeaders(res, upstream.headers, true);
    res.flushHeaders();
    for await (const bytes of upstream.body) if (!(await write(res, bytes as Buffer))) break;
    res.end();
  } catch (error) {
    if (hangUp.signal.aborted) return;
    if (!res.headersSent) throw error;
    res.destroy();
  }
}
