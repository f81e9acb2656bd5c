import type { IncomingMessage, ServerResponse } from 'node:http';
import { CccError } from '../../base/ccc-error.ts';
import type { Settings } from '../../config/schema.ts';
import type { ChatProvider } from '../../models/provider.ts';
import { methodNotAllowed } from '../errors.ts';
import { nameRoute } from '../request-context.ts';
import { passThrough } from './pass-through.ts';

/** The paths of OpenAI's API that are passed on, with their methods. Nothing else is under `/v1`. */
const PASSED_ON = new Map<string, 'POST' | 'GET'>([
  ['/v1/chat/completions', 'POST'],
  ['/v1/completions', 'POST'],
  ['/v1/responses', 'POST'],
  ['/v1/embeddings', 'POST'],
  ['/v1/models', 'GET'],
]);
/** Names of models may hold slashes, escaped by the SDKs and not by everyone. */
const ONE_MODEL = '/v1/models/';

/** Answers a request if it is one of its own; else undefined, and nothing was done. */
export type Routes = (req: IncomingMessage, res: ServerResponse) => Promise<void> | undefined;

/**
 * Stage 1: the plain proxy. Served in front of Express, whose router and response objects would cost each request more
 * than all that is done here (measured, docs/decisions/0007).
 */
export function v1Routes(parts: {
  provider: ChatProvider;
  settings: Pick<Settings, 'CCC_MAX_BODY'>;
}): Routes {
  const pass = passThrough(parts.provider, { maxBody: parts.settings.CCC_MAX_BODY, root: '/v1' });
  const refuse = { POST: methodNotAllowed('POST'), GET: methodNotAllowed('GET') };
  return (req, res) => {
    const { url = '/' } = req;
    if (!url.startsWith('/v1/')) return undefined;
    const query = url.indexOf('?');
    const path = query === -1 ? url : url.slice(0, query);
    const oneModel = path.startsWith(ONE_MODEL);
    const method = oneModel ? 'GET' : PASSED_ON.get(path);
    if (method === undefined) return undefined;
    nameRoute(res, oneModel ? '/v1/models/:id' : path);
    return answer(req, res, method, oneModel ? path.slice(ONE_MODEL.length) : undefined);
  };

  async function answer(
    req: IncomingMessage,
    res: ServerResponse,
    method: 'POST' | 'GET',
    model: string | undefined,
  ): Promise<void> {
    if (req.method !== method && !(method === 'GET' && req.method === 'HEAD')) {
      refuse[method](req, res);
      return;
    }
    if (model !== undefined) checkModelName(decodeURIComponent(model));
    await pass(req, res);
  }
}

/**
 * `/v1/models/..%2Fsecrets` must not reach another part of the upstream with the server's key.
 * @throws unknown_route
 */
export function checkModelName(name: string): void {
  if (name.split(/[/\\]/).some((step) => step === '..' || step === '.' || step === '')) {
    throw new CccError('unknown_route');
  }
}
