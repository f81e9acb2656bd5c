import { countTokens } from '../../text/tokens.ts';

/** Tokens, and milliseconds, that are asked for when a call outgrows what was set aside for it. */
export const MORE_TOKENS = 4_000;
export const MORE_MS = 60_000;

/** What is set aside for a call in the budgets of its session and of the day, and how more of it is got. */
export interface Grant {
  /** Tokens that may be answered; milliseconds that it may take. */
  tokens: number;
  ms: number;
  /** Asks for more. Resolves with what was given: 0 when there is none. */
  extend: (more: { tokens: number; ms: number }) => Promise<{ tokens: number; ms: number }>;
}

type What = 'time_budget' | 'token_budget';

/**
 * Breaks a call off that takes longer, or answers more, than the cycle's own budget has left, or than the budgets of its
 * session and of the day give. Those are asked for more while the call goes on; what arrives until they have answered is
 * the most that a call can pass them by.
 */
export class CallLimit {
  readonly #controller = new AbortController();
  readonly #timers = new Set<NodeJS.Timeout>();
  #tokensLeft: number | null;
  readonly #grant: Grant | null;
  #granted: number;
  #asking = false;
  #ended = false;
  passed: What | null = null;

  constructor(own: { ms: number | null; tokens: number | null }, grant: Grant | null) {
    this.#tokensLeft = own.tokens;
    this.#grant = grant;
    this.#granted = grant?.tokens ?? Infinity;
    if (own.ms !== null) this.#after(own.ms, () => this.#pass('time_budget'));
    if (grant) this.#after(grant.ms, () => void this.#moreTime(grant));
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  count(text: string): void {
    if (this.#tokensLeft === null && !this.#grant) return;
    const tokens = countTokens(text);
    if (this.#tokensLeft !== null) {
      this.#tokensLeft -= tokens;
      if (this.#tokensLeft < 0) this.#pass('token_budget');
    }
    this.#granted -= tokens;
    if (this.#granted < 0 && this.#grant) void this.#moreTokens(this.#grant);
  }

  end(): void {
    this.#ended = true;
    for (const timer of this.#timers) clearTimeout(timer);
  }

  async #moreTokens({ extend }: Grant): Promise<void> {
    if (this.#asking || this.#ended) return;
    this.#asking = true;
    const given = await extend({ tokens: MORE_TOKENS, ms: 0 }).catch(() => ({ tokens: 0 }));
    this.#asking = false;
    this.#granted += given.tokens;
    if (this.#granted < 0) this.#pass('token_budget');
  }

  async #moreTime({ extend }: Grant): Promise<void> {
    const given = await extend({ tokens: 0, ms: MORE_MS }).catch(() => ({ ms: 0 }));
    if (this.#ended) return;
    if (given.ms <= 0) this.#pass('time_budget');
    else this.#after(given.ms, () => void this.#moreTime({ tokens: 0, ms: 0, extend }));
  }

  #after(ms: number, work: () => void): void {
    // The longest that a timer can be set to; a call of 24 days has other troubles.
    this.#timers.add(setTimeout(work, Math.min(ms, 2 ** 31 - 1)));
  }

  #pass(what: What): void {
    if (this.#ended) return;
    this.passed ??= what;
    this.#controller.abort(new Error(what));
  }
}
