import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Router } from 'express';
import { CccError } from '../../base/ccc-error.ts';
import { wantBody } from '../body.ts';
import { methodNotAllowed } from '../errors.ts';
import type { MemoryParts } from './parts.ts';
import { linesOf } from './ndjson.ts';
import { checkToken } from '../session-guard.ts';
import { sessionDetails } from './views.ts';

const NDJSON = 'application/x-ndjson';

/** A whole session as a stream of NDJSON, and back. */
export function transferRouter({ memory, settings }: MemoryParts): Router {
  // A turn is at most a body, and takes more room where its characters have to be escaped.
  const longest = settings.CCC_MAX_BODY * 2;
  const router = Router({ caseSensitive: true, strict: true });

  router
    .route('/api/v2/sessions/import')
    .post(async (req, res) => {
      const type = (req.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase();
      if (type !== NDJSON) {
        throw new CccError('unsupported_media_type', `An import must be sent as ${NDJSON}.`);
      }
      wantBody(req);
      // A stream has no size of its own: it is stored as it comes, and nothing is visible until all of it is there.
      const { session, token } = await memory.importSession(linesOf(chunksOf(req), longest));
      res.status(201).json({ ...sessionDetails(session), token });
    })
    .all(methodNotAllowed('POST'));

  router
    .route('/api/v2/sessions/:id/export')
    .post(async (req, res) => {
      await checkToken(memory, req, req.params.id);
      await memory.getSession(req.params.id);
      res.setHeader('content-type', NDJSON);
      res.setHeader('content-disposition', `attachment; filename="${req.params.id}.ndjson"`);
      await pipeline(Readable.from(withLineEnds(memory.exportSession(req.params.id))), res);
    })
    .all(methodNotAllowed('POST'));
  return router;
}

async function* withLineEnds(lines: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const line of lines) yield `${line}\n`;
}

/** What a client sends, as it comes. Left open when nobody reads on: the client must be able to hear why. */
async function* chunksOf(req: IncomingMessage): AsyncGenerator<Buffer> {
  const broken = () => new CccError('invalid_request', 'The import broke off before its end.');
  try {
    yield* req.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
  } catch (error) {
    throw req.complete ? error : broken();
  }
  if (!req.complete) throw broken();
}
