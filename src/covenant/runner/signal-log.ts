import type { CycleEventRecord } from '../../store/cycle-store.ts';
import type { CycleSignal } from '../cycle-service.ts';

type Listener = (signal: CycleSignal) => void;

/** What a running cycle has said so far, for those who come late, and those who listen now. */
export class SignalLog {
  readonly #said: CycleSignal[] = [];
  readonly #listeners = new Set<Listener>();

  event(event: CycleEventRecord): void {
    this.#tell({ kind: 'event', event });
  }

  delta(signal: Extract<CycleSignal, { kind: 'delta' }>): void {
    this.#tell(signal);
  }

  /** Tells everything from the beginning, then what comes. Returns how to stop. */
  watch(listener: Listener): () => void {
    for (const signal of this.#said) listener(signal);
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #tell(signal: CycleSignal): void {
    const last = this.#said.at(-1);
    // Pieces of one text are kept as one: a long draft is thousands of them.
    if (
      signal.kind === 'delta' &&
      last?.kind === 'delta' &&
      last.step === signal.step &&
      last.round === signal.round
    ) {
      this.#said[this.#said.length - 1] = { ...last, text: last.text + signal.text };
    } else this.#said.push(signal);
    for (const listener of this.#listeners) listener(signal);
  }
}
