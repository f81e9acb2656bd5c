/** Whether the server still takes requests. */
export class ServerState {
  readonly startedAt = Date.now();
  readonly #stopping = new AbortController();

  get draining(): boolean {
    return this.#stopping.signal.aborted;
  }

  /** Aborts when the server begins to stop: for those who would otherwise wait for ever, such as event streams. */
  get stopping(): AbortSignal {
    return this.#stopping.signal;
  }

  /** From now on nothing new is taken and readiness is refused, so that a load balancer looks elsewhere. */
  drain(): void {
    this.#stopping.abort();
  }
}
