import type { ServerResponse } from 'node:http';

/** Why work was stopped: nobody is there any more to hear its result. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone';
}

/**
 * A signal that aborts when the client hangs up before its answer is complete. It listens on the response: in
 * Express 5 the request's own `close` comes as soon as its body has been read.
 */
export function cancelOnHangUp(res: ServerResponse): AbortController {
  const controller = new AbortController();
  const onClose = () => {
    if (!res.writableFinished) controller.abort(new ClientGone('The client has hung up.'));
  };
  if (res.destroyed) onClose();
  else res.once('close', onClose);
  return controller;
}
