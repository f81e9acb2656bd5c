import type { IncomingMessage, ServerResponse } from 'node:http';
import { performance } from 'node:perf_hooks';
import { bytesOf, listen, startApp, UPSTREAM_KEY } from '../support.ts';

/** A request as the upstream saw it. */
export interface Seen {
  method: string;
  url: string;
  headers: IncomingMessage['headers'];
  body: Buffer;
  /** Resolves with the time (`performance.now()`) at which the caller hung up before the answer was complete. */
  hungUp: Promise<number>;
}

export type Script = (res: ServerResponse, seen: Seen) => unknown;

/** An upstream that keeps each request and answers by a script, and CCC in front of it. */
export async function startBoth(script: Script, settings: Record<string, string> = {}) {
  const seen: Seen[] = [];
  const waiting: ((entry: Seen) => void)[] = [];
  const both = { script };
  const url = await listen((req, res) => {
    const hungUp = new Promise<number>((resolve) => {
      res.once('close', () => {
        if (!res.writableFinished) resolve(performance.now());
      });
    });
    void bytesOf(req).then(
      (body) => {
        const { method = '', url: path = '', headers } = req;
        const entry = { method, url: path, headers, body, hungUp };
        seen.push(entry);
        waiting.shift()?.(entry);
        void both.script(res, entry);
      },
      () => undefined,
    );
  });
  const upstreamUrl = `${url}/up/v1`;
  const log: string[] = [];
  const app = await startApp({ upstreamUrl, settings, log });
  return {
    ...app,
    log,
    seen,
    /** To talk to the upstream without CCC. */
    upstreamUrl,
    baseURL: `${app.url}/v1`,
    setScript: (next: Script) => (both.script = next),
    /** The next request that reaches the upstream. */
    nextSeen: () => new Promise<Seen>((resolve) => waiting.push(resolve)),
  };
}

export { UPSTREAM_KEY };
