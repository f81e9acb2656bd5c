/** Gives a place back. Calling it again does nothing. */
export type Release = () => void;

interface Waiting {
  enter: (release: Release) => void;
}

/** The queue is as long as it may be. */
export class QueueFull extends Error {
  override readonly name = 'QueueFull';
}

/**
 * So many at once and no more; the others wait, each caller in a lane of its own. Places that become free go round the
 * lanes, so that one who asks a hundred times at once keeps nobody else waiting for more than their turn.
 */
export class FairQueue {
  readonly #atOnce: number;
  readonly #mostWaiting: number;
  /** Lanes with somebody in them, the next one first. */
  readonly #lanes = new Map<string, Waiting[]>();
  #inside = 0;
  #waiting = 0;

  constructor(options: { atOnce: number; mostWaiting: number }) {
    this.#atOnce = options.atOnce;
    this.#mostWaiting = options.mostWaiting;
  }

  get inside(): number {
    return this.#inside;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** A place, at once or when one becomes free. @throws QueueFull; the signal's reason when it is aborted before */
  enter(lane: string, signal: AbortSignal): Release | Promise<Release> {
    if (this.#inside < this.#atOnce) return this.#place();
    if (this.#waiting >= this.#mostWaiting) throw new QueueFull('Too many are waiting already.');
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        enter: (release) => {
          signal.removeEventListener('abort', leave);
          resolve(release);
        },
      };
      const leave = () => {
        this.#remove(lane, waiting);
        reject(signal.reason as Error);
      };
      if (signal.aborted) {
        reject(signal.reason as Error);
        return;
      }
      signal.addEventListener('abort', leave, { once: true });
      const others = this.#lanes.get(lane);
      if (others) others.push(waiting);
      else this.#lanes.set(lane, [waiting]);
      this.#waiting += 1;
    });
  }

  #place(): Release {
    this.#inside += 1;
    let given = true;
    return () => {
      if (!given) return;
      given = false;
      this.#inside -= 1;
      this.#next()?.enter(this.#place());
    };
  }

  #next(): Waiting | undefined {
    const [lane] = this.#lanes.keys();
    if (lane === undefined) return undefined;
    const queue = this.#lanes.get(lane) ?? [];
    const first = queue.shift();
    // The lane goes behind the others, where there is still somebody in it.
    this.#lanes.delete(lane);
    if (queue.length > 0) this.#lanes.set(lane, queue);
    if (first) this.#waiting -= 1;
    return first;
  }

  #remove(lane: string, waiting: Waiting): void {
    const queue = this.#lanes.get(lane);
    const at = queue?.indexOf(waiting) ?? -1;
    if (!queue || at < 0) return;
    queue.splice(at, 1);
    this.#waiting -= 1;
    if (queue.length === 0) this.#lanes.delete(lane);
  }
}
