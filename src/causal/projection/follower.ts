import type { Logger } from '../../base/logger.ts';
import { CccError } from '../../base/ccc-error.ts';
import type { CausalProjection } from './projection.ts';

/** How long after a change the projection follows, in milliseconds: changes come in bursts. */
const AFTER_CHANGE_MS = 500;
/** How long after the start it looks for what it missed, in milliseconds: the start itself is not held up. */
const AFTER_START_MS = 2_000;

/** Keeps the projection near the record in the background. It never opens one for a record without causes. */
export class Follower {
  readonly #projection: CausalProjection;
  readonly #logger: Logger;
  readonly #touched = new Set<string>();
  #started = false;
  #timer: NodeJS.Timeout | null = null;
  #startTimer: NodeJS.Timeout | null = null;

  constructor(projection: CausalProjection, logger: Logger) {
    this.#projection = projection;
    this.#logger = logger;
  }

  start(): void {
    if (this.#started) return;
    this.#started = true;
    this.#startTimer = setTimeout(() => void this.#catchUpAll(), AFTER_START_MS).unref();
    this.#schedule();
  }

  /** Looks for whatever it has missed. */
  catchUp(): void {
    void this.#catchUpAll();
  }

  touch(sessionId: string): void {
    this.#touched.add(sessionId);
    this.#schedule();
  }

  stop(): void {
    this.#started = false;
    if (this.#timer) clearTimeout(this.#timer);
    if (this.#startTimer) clearTimeout(this.#startTimer);
  }

  #schedule(): void {
    if (!this.#started || this.#timer || this.#touched.size === 0) return;
    this.#timer = setTimeout(() => void this.#follow(), AFTER_CHANGE_MS).unref();
  }

  async #follow(): Promise<void> {
    const sessions = [...this.#touched];
    this.#touched.clear();
    for (const sessionId of sessions) {
      await this.#quietly(() => this.#projection.catchUp(sessionId));
    }
    this.#timer = null;
    this.#schedule();
  }

  async #catchUpAll(): Promise<void> {
    await this.#quietly(async () => {
      if (await this.#projection.isNeeded()) await this.#projection.catchUpAll();
    });
  }

  /** A projection that cannot follow now does so when it is asked: nobody waits for this. */
  async #quietly(work: () => Promise<void>): Promise<void> {
    if (!this.#started) return;
    try {
      await work();
    } catch (error) {
      if (error instanceof CccError && error.code === 'session_not_found') return;
      this.#logger.warn({ err: error }, 'the causal projection could not follow the record');
    }
  }
}
