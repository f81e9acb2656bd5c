import type { CycleSignal } from '../../covenant/cycle-service.ts';
import { narrationHeading } from './narration.ts';

/** Turns what a cycle says while it works into text for people, piece by piece. */
export class Narrator {
  #heading = '';

  /** The text to show for a signal; empty when there is none. */
  tell(signal: CycleSignal): string {
    if (signal.kind !== 'delta' || signal.text === '') return '';
    const heading = narrationHeading(signal.agent, signal.round, signal.step);
    if (heading === this.#heading) return signal.text;
    const gap = this.#heading === '' ? '' : '\n\n';
    this.#heading = heading;
    return `${gap}${heading}\n${signal.text}`;
  }
}
