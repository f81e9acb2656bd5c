import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { RateLimiterMemory, RateLimiterRes, type RateLimiterAbstract } from 'rate-limiter-flexible';
import { CccError } from '../base/ccc-error.ts';
import type { SharedRateLimits } from '../store/shared-record.ts';
import type { Step } from './in-order.ts';
import { callerName, callerOf } from './request-context.ts';

export const MINUTE_S = 60;

/**
 * Most requests a minute for each caller: a key, a session by its token, else an address. Answers say what is left, in
 * the words of the IETF draft (draft-ietf-httpapi-ratelimit-headers) and in those of OpenAI's clients. What asks whether
 * the server is alive is not counted. Servers on one record count together.
 */
export function limitRate(perMinute: number, shared: SharedRateLimits | null = null): Step {
  const limiters = new Map<number, RateLimiterAbstract>();
  const limiterOf = (points: number): RateLimiterAbstract => {
    let limiter = limiters.get(points);
    if (!limiter) {
      limiter =
        shared?.limiter({ name: 'requests', points, durationS: MINUTE_S }) ??
        new RateLimiterMemory({ points, duration: MINUTE_S });
      limiters.set(points, limiter);
    }
    return limiter;
  };
  return (req, res, next) => {
    const caller = callerOf(res);
    const points = caller?.perMinute ?? perMinute;
    if (points === 0 || req.url?.startsWith('/health') === true) {
      next();
      return;
    }
    limiterOf(points)
      .consume(countKey(callerName(req, res)))
      .then(
        (state) => {
          tell(res, points, state);
          next();
        },
        (refused: unknown) => {
          if (!(refused instanceof RateLimiterRes)) {
            next(refused);
            return;
          }
          tell(res, points, refused);
          res.setHeader('retry-after', secondsLeft(refused));
          next(new CccError('rate_limited'));
        },
      );
  };
}

/**
 * What is counted under a name. Of one length whatever a client sends; and counts may stand in the database, where neither
 * an address nor the id of a session that is erased is to be left.
 */
export function countKey(name: string): string {
  return createHash('sha256').update(name).digest('base64url');
}

function tell(res: ServerResponse, points: number, state: RateLimiterRes): void {
  const seconds = secondsLeft(state);
  res.setHeader('ratelimit-policy', `"requests";q=${String(points)};w=${String(MINUTE_S)}`);
  res.setHeader('ratelimit', `"requests";r=${String(state.remainingPoints)};t=${String(seconds)}`);
  res.setHeader('x-ratelimit-limit-requests', points);
  res.setHeader('x-ratelimit-remaining-requests', state.remainingPoints);
  res.setHeader('x-ratelimit-reset-requests', `${String(seconds)}s`);
}

export function secondsLeft({ msBeforeNext }: RateLimiterRes): number {
  return Math.max(1, Math.ceil(msBeforeNext / 1000));
}
