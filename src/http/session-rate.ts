import type { IncomingMessage, ServerResponse } from 'node:http';
import { RateLimiterMemory, RateLimiterRes, type RateLimiterAbstract } from 'rate-limiter-flexible';
import { CccError } from '../base/ccc-error.ts';
import type { SharedRateLimits } from '../store/shared-record.ts';
import type { Step } from './in-order.ts';
import { countKey, MINUTE_S, secondsLeft } from './rate-limit.ts';
import { callerOf } from './request-context.ts';

/** Where a path names a session. `import` stands where an id does, and is none. */
const IN_PATH = [
  /^\/api\/v2\/sessions\/(?!import(?:[/?]|$))([^/?]+)/,
  /^\/v2\/sessions\/([^/?]+)/,
  /^\/v2\//,
] as const;

/**
 * Most requests a minute for each session, whoever asks for it, beside what the caller may ask. Counted where the path or
 * a header names the session, before anything of the body is read; else by the route that has read which one is meant.
 * Each request counts once.
 */
export class SessionRate {
  readonly #points: number;
  readonly #limiter: RateLimiterAbstract | null;
  readonly #counted = new WeakSet<ServerResponse>();

  constructor(perMinute: number, shared: SharedRateLimits | null = null) {
    this.#points = perMinute;
    const options = { points: perMinute, duration: MINUTE_S };
    this.#limiter =
      perMinute === 0
        ? null
        : (shared?.limiter({ name: 'session-requests', points: perMinute, durationS: MINUTE_S }) ??
          new RateLimiterMemory(options));
  }

  /** For what stands before the routes. */
  step(): Step {
    if (!this.#limiter) return (_req, _res, next) => next();
    return (req, res, next) => {
      const sessionId = sessionOf(req, res);
      if (sessionId === null) next();
      else this.count(res, sessionId).then(() => next(), next);
    };
  }

  /** Counts a request for this session, unless it is counted already. @throws rate_limited */
  async count(res: ServerResponse, sessionId: string): Promise<void> {
    if (!this.#limiter || this.#counted.has(res)) return;
    this.#counted.add(res);
    try {
      this.#tell(res, await this.#limiter.consume(countKey(sessionId)));
    } catch (refused) {
      if (!(refused instanceof RateLimiterRes)) throw refused;
      this.#tell(res, refused);
      res.setHeader('retry-after', secondsLeft(refused));
      throw new CccError('rate_limited', 'More requests a minute than this session takes.', {
        param: 'session_id',
      });
    }
  }

  /** Clients of OpenAI's API know one count: they are told the one that ends first. */
  #tell(res: ServerResponse, state: RateLimiterRes): void {
    const left = state.remainingPoints;
    const seconds = String(secondsLeft(state));
    res.appendHeader('ratelimit-policy', `"session";q=${String(this.#points)};w=${String(MINUTE_S)}`);
    res.appendHeader('ratelimit', `"session";r=${String(left)};t=${seconds}`);
    const known = res.getHeader('x-ratelimit-remaining-requests');
    if (known !== undefined && Number(known) <= left) return;
    res.setHeader('x-ratelimit-limit-requests', this.#points);
    res.setHeader('x-ratelimit-remaining-requests', left);
    res.setHeader('x-ratelimit-reset-requests', `${seconds}s`);
  }
}

/**
 * The session that the head of a request is about. Of one with a session's token that session, whatever else it names:
 * nobody uses up another session's requests without being let in.
 */
function sessionOf(req: IncomingMessage, res: ServerResponse): string | null {
  const caller = callerOf(res);
  if (caller?.kind === 'session') return caller.name;
  const { url = '/', headers } = req;
  for (const pattern of IN_PATH) {
    const match = pattern.exec(url);
    if (!match) continue;
    if (match[1] !== undefined) return decoded(match[1]);
    const named = headers['x-ccc-session-id'];
    return typeof named === 'string' && named.trim() !== '' ? named.trim() : null;
  }
  return null;
}

/** As the routes read it: an id that is written otherwise is the same session. Null for what they refuse. */
function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
