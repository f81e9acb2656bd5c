import { Router, type RequestHandler } from 'express';
import { CccError } from '../../base/ccc-error.ts';
import type { Settings } from '../../config/schema.ts';
import type { ChatProvider } from '../../models/provider.ts';
import { methodNotAllowed } from '../errors.ts';
import { passThrough } from './pass-through.ts';

/** The paths of OpenAI's API that are passed on, with their methods. Nothing else is under `/v1`. */
const PASSED_ON = {
  '/v1/chat/completions': 'post',
  '/v1/completions': 'post',
  '/v1/responses': 'post',
  '/v1/embeddings': 'post',
  '/v1/models': 'get',
  // Names of models may hold slashes, escaped by the SDKs and not by everyone.
  '/v1/models/*model': 'get',
} as const;

/** Stage 1: the plain proxy. */
export function v1Router(parts: {
  provider: ChatProvider;
  settings: Pick<Settings, 'CCC_MAX_BODY'>;
}): Router {
  const router = Router({ caseSensitive: true, strict: true });
  const pass = passThrough(parts.provider, { maxBody: parts.settings.CCC_MAX_BODY, root: '/v1' });
  for (const [path, method] of Object.entries(PASSED_ON)) {
    router.route(path)[method](staysBelow, pass).all(methodNotAllowed(method.toUpperCase()));
  }
  return router;
}

/** `/v1/models/..%2Fsecrets` must not reach another part of the upstream with the server's key. */
export const staysBelow: RequestHandler = (req, _res, next) => {
  const { model = [] } = req.params as { model?: string[] };
  if (
    model.some((part) => part.split(/[/\\]/).some((step) => step === '..' || step === '.' || step === ''))
  ) {
    throw new CccError('unknown_route');
  }
  next();
};
