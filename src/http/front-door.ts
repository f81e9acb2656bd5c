import type { RequestListener, ServerResponse } from 'node:http';
import { inOrder, type Step } from './in-order.ts';
import type { Routes } from './v1/v1-routes.ts';

/** Every request passes `before`; then `first` answers what is its own, and `then` all the rest. */
export function frontDoor(parts: {
  before: Step[];
  first: Routes;
  then: RequestListener;
  onError: (error: unknown, res: ServerResponse) => void;
}): RequestListener {
  const { first, then, onError } = parts;
  const before = inOrder(...parts.before);
  return (req, res) => {
    before(req, res, (error) => {
      if (error !== undefined) {
        onError(error, res);
        return;
      }
      const answer = first(req, res);
      if (answer === undefined) {
        then(req, res);
        return;
      }
      answer.catch((failed: unknown) => {
        onError(failed, res);
      });
    });
  };
}
