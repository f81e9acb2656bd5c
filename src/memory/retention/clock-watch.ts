import type { Clock } from '../../base/clock.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/**
 * Notices a clock that was set ahead, by a second one that nobody can set: what it would make old must not be deleted for
 * that. After a jump of more than a day there is an hour in which to set it right; a machine that has slept for days waits
 * this hour too, which harms nobody. What the clock says at the start is believed.
 */
export class ClockWatch {
  readonly #clock: Clock;
  /** Milliseconds that only go on. */
  readonly #steady: () => number;
  #wall: number;
  #at: number;
  #heldUntil = -Infinity;

  constructor(clock: Clock, steady: () => number = () => performance.now()) {
    this.#clock = clock;
    this.#steady = steady;
    this.#wall = clock.now();
    this.#at = steady();
  }

  /** Whether the clock should not be believed yet. To be asked now and then. */
  inDoubt(): boolean {
    const wall = this.#clock.now();
    const at = this.#steady();
    const ahead = wall - this.#wall - (at - this.#at);
    this.#wall = wall;
    this.#at = at;
    if (ahead > DAY_MS) this.#heldUntil = at + HOUR_MS;
    // It has been set right again.
    else if (ahead < -DAY_MS) this.#heldUntil = -Infinity;
    return at < this.#heldUntil;
  }
}
