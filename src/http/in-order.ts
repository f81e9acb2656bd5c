import type { IncomingMessage, ServerResponse } from 'node:http';

/** What happens to a request before anything answers it: it goes on, fails, or ends here. Works without Express. */
export type Step = (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void) => void;

/** Several steps as one. None of them may be async; what they throw is passed on. */
export function inOrder(...steps: Step[]): Step {
  return (req, res, done) => {
    let at = 0;
    const next = (error?: unknown): void => {
      const step = error === undefined ? steps[at] : undefined;
      at += 1;
      if (!step) {
        done(error);
        return;
      }
      try {
        step(req, res, next);
      } catch (thrown) {
        done(thrown);
      }
    };
    next();
  };
}
