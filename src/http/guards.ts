import type { IncomingMessage } from 'node:http';
import cors from 'cors';
import { CccError } from '../base/ccc-error.ts';
import type { Step } from './in-order.ts';
import { isOpen } from './open-paths.ts';

export interface GuardOptions {
  /** The address that is listened on. */
  host: string;
  /** Further names by which this server may be called; with a port only that one, else any (a reverse proxy's). */
  allowedHosts: readonly string[];
  /** Further origins whose pages may call. `*` allows all. */
  corsOrigins: readonly string[];
}

const LOOPBACK = ['127.0.0.1', 'localhost', '[::1]'];

/** What a page may read of an answer, beside what browsers always show. */
const EXPOSED_HEADERS = [
  'x-request-id',
  'x-ccc-session-id',
  'x-ccc-conversation-id',
  'x-ccc-cycle-id',
  'retry-after',
  'retry-after-ms',
  'x-should-retry',
  'openai-processing-ms',
  'x-ratelimit-limit-requests',
  'x-ratelimit-remaining-requests',
  'x-ratelimit-reset-requests',
  'x-ratelimit-limit-tokens',
  'x-ratelimit-remaining-tokens',
  'x-ratelimit-reset-tokens',
];

/**
 * Refuses, before anything of a request is read, what a foreign page in somebody's browser can send: a Host that is
 * not this server's (DNS rebinding), and an Origin that is not allowed (also of requests that need no preflight,
 * such as a form or a `text/plain` post).
 */
export function guards(options: GuardOptions): Step[] {
  const hosts = new HostNames(options);
  const origins = new Set(options.corsOrigins);

  const mayCall = (origin: string, req: IncomingMessage): boolean =>
    origins.has('*') || origins.has(origin) || hosts.isOwnOrigin(origin, req);

  const address: Step = (req, _res, next) => {
    // "GET http://elsewhere/ HTTP/1.1" names another host than the Host header does.
    if (req.url?.startsWith('/') !== true && req.url !== '*') {
      throw new CccError('invalid_request', 'The address must be a path.');
    }
    if (!hosts.isOwn(req)) throw new CccError('host_not_allowed');
    next();
  };

  const origin: Step = (req, _res, next) => {
    const given = req.headers.origin;
    const allowed = given === undefined ? !isForeign(req) : mayCall(given, req);
    if (!allowed) throw new CccError('origin_not_allowed');
    next();
  };

  const corsHeaders = cors((req, done) => {
    const given = req.headers.origin;
    done(null, {
      // The guard before has let it pass. Echoed, never `*`.
      origin: given ?? false,
      methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
      exposedHeaders: EXPOSED_HEADERS,
      maxAge: 600,
    });
  });
  const corsForPages: Step = (req, res, next) => {
    if (req.headers.origin === undefined) next();
    else corsHeaders(req, res, next);
  };
  return [address, origin, corsForPages];
}

/**
 * Pictures, scripts, frames and links of a foreign page carry no Origin; browsers mark them (Fetch Metadata). What passes
 * is a link to the page itself, opened in a window of its own: an address that costs or tells something is not for links.
 */
function isForeign({ headers, method = 'GET', url = '/' }: IncomingMessage): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== 'cross-site' && site !== 'same-site') return false;
  const followed = headers['sec-fetch-mode'] === 'navigate' && !FRAMES.has(headers['sec-fetch-dest'] ?? '');
  return !followed || !isOpen(method, url);
}

/** Where a navigation ends inside another page. */
const FRAMES = new Set<unknown>(['iframe', 'frame', 'embed', 'object', 'fencedframe']);

class HostNames {
  /** Names that are this server's at the port that it listens on. */
  readonly #names: Set<string>;
  /** Names that others give it, as written in the setting. */
  readonly #given: Set<string>;
  readonly #everyAddress: boolean;

  constructor({ host, allowedHosts }: GuardOptions) {
    this.#names = new Set([...LOOPBACK, bracketed(host)].map((name) => name.toLowerCase()));
    this.#given = new Set(allowedHosts.map((name) => name.toLowerCase()));
    this.#everyAddress = host === '0.0.0.0' || host === '::';
  }

  isOwn(req: IncomingMessage): boolean {
    const host = (req.headers.host ?? '').toLowerCase();
    const match = /^(\[[\da-f:.]+\]|[^:[\]@/?#\\\s]+)(?::(\d{1,5}))?$/.exec(host);
    if (!match) return false;
    const [, name = '', port = '80'] = match;
    if (this.#given.has(host) || this.#given.has(name)) return true;
    if (Number(port) !== req.socket.localPort) return false;
    return this.#names.has(name) || (this.#everyAddress && name === ownAddress(req));
  }

  /** Whether a page that this server sent has this origin. The Host has been checked. */
  isOwnOrigin(origin: string, req: IncomingMessage): boolean {
    const host = (req.headers.host ?? '').toLowerCase();
    if (origin === `http://${host}`) return true;
    // A reverse proxy may speak HTTPS on our behalf, by a name of its own.
    const name = host.replace(/:\d+$/, '');
    return origin === `https://${host}` && (this.#given.has(host) || this.#given.has(name));
  }
}

/** The address a client connected to. Nobody can rebind an address, only a name. */
function ownAddress(req: IncomingMessage): string {
  return bracketed((req.socket.localAddress ?? '').replace(/^::ffff:/, ''));
}

function bracketed(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
}
