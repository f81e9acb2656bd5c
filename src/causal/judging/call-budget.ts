import type { Clock } from '../../base/clock.ts';
import { JobError } from '../../jobs/job-error.ts';

const MINUTE_MS = 60_000;

/** So many calls in any minute, and no more: what causal memory may cost. Kept in this process. */
export class CallBudget {
  readonly #perMinute: number;
  readonly #clock: Clock;
  #calls: number[] = [];

  constructor(perMinute: number, clock: Clock) {
    this.#perMinute = perMinute;
    this.#clock = clock;
  }

  /** @throws JobError when the minute is used up, with the time at which there is room again: no failed attempt */
  take(): void {
    const now = this.#clock.now();
    this.#calls = this.#calls.filter((at) => at > now - MINUTE_MS && at <= now);
    const [oldest] = this.#calls;
    if (oldest !== undefined && this.#calls.length >= this.#perMinute) {
      throw new JobError('the calls of this minute are used up', {
        retryAt: oldest + MINUTE_MS + 1,
        forAll: true,
      });
    }
    this.#calls.push(now);
  }
}
