import type { NextFunction, RequestHandler } from 'express';

/** Several handlers as one: each costs a call, and not a way through Express's router. None of them may be async. */
export function inOrder(...handlers: RequestHandler[]): RequestHandler {
  return (req, res, next) => {
    let at = 0;
    const step: NextFunction = (error?: unknown) => {
      const handler = error === undefined ? handlers[at] : undefined;
      at += 1;
      if (handler) void handler(req, res, step);
      else next(error);
    };
    step();
  };
}
