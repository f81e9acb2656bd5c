import type { ServerResponse } from 'node:http';
import { CccError } from '../../base/ccc-error.ts';
import type { Step } from '../in-order.ts';
import { callerName } from '../request-context.ts';
import type { TokenLedger, TokenStanding } from './token-ledger.ts';

/** Requests that may end in a call of the upstream that costs tokens. */
const SPENDING = [
  /^\/v1\/(?:chat\/completions|completions|responses|embeddings)(?:\?|$)/,
  /^\/v2\/(?:sessions\/[^/?]+\/)?(?:chat\/completions|embeddings)(?:\?|$)/,
  /^\/api\/v2\/sessions\/[^/?]+\/cycles(?:\?|$)/,
  /^\/api\/v2\/cycles\/[^/?]+\/(?:resume|decision)(?:\?|$)/,
];

/**
 * Refuses what would spend tokens once its caller has spent the day's, and says on the others what is left: in the words
 * of the IETF draft, beside the limit of requests, and in those of OpenAI's clients. What is under way when the limit is
 * reached is finished.
 */
export function limitTokens(ledger: TokenLedger): Step {
  if (!ledger.limits) return (_req, _res, next) => next();
  return (req, res, next) => {
    const { method, url = '/' } = req;
    if (method !== 'POST' || !SPENDING.some((pattern) => pattern.test(url))) {
      next();
      return;
    }
    const answer = (standing: TokenStanding | null) => {
      if (!standing) {
        next();
        return;
      }
      tell(res, standing);
      if (standing.spent < standing.limit) {
        next();
        return;
      }
      for (const [name, value] of Object.entries(refusalHeaders(standing))) res.setHeader(name, value);
      next(tokensSpent(standing));
    };
    const standing = ledger.standing(callerName(req, res));
    if (standing instanceof Promise) standing.then(answer, next);
    else answer(standing);
  };
}

/** The error of a caller that has spent the day's tokens. */
export function tokensSpent({ limit }: TokenStanding): CccError {
  return new CccError('budget_exhausted', `The ${String(limit)} tokens of this caller for today are spent.`, {
    param: 'tokens_per_day',
  });
}

/** When it is of use to ask again. The official SDKs would try at once, and are told not to. */
export function refusalHeaders({ endsInMs }: TokenStanding): Record<string, string> {
  return { 'retry-after': String(Math.ceil(endsInMs / 1000)), 'x-should-retry': 'false' };
}

function tell(res: ServerResponse, { limit, spent, endsInMs }: TokenStanding): void {
  const left = String(Math.max(0, limit - spent));
  const seconds = Math.ceil(endsInMs / 1000);
  res.appendHeader('ratelimit-policy', `"tokens";q=${String(limit)};w=86400`);
  res.appendHeader('ratelimit', `"tokens";r=${left};t=${String(seconds)}`);
  res.setHeader('x-ratelimit-limit-tokens', limit);
  res.setHeader('x-ratelimit-remaining-tokens', left);
  res.setHeader('x-ratelimit-reset-tokens', duration(seconds));
}

/** `17h3m2s`, as OpenAI writes it. */
export function duration(seconds: number): string {
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  return `${hours > 0 ? `${String(hours)}h` : ''}${hours + minutes > 0 ? `${String(minutes)}m` : ''}${String(seconds % 60)}s`;
}
