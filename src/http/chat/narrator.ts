import type { CycleSignal } from '../../covenant/cycle-service.ts';
import { parseVerdict } from '../../covenant/verdict/parse-verdict.ts';
import type { Verdict } from '../../covenant/verdict/verdict-schema.ts';
import { narrationHeading } from './narration.ts';

type Delta = Extract<CycleSignal, { kind: 'delta' }>;

/**
 * Turns what a cycle says while it works into text for people, piece by piece. Guidance and drafts are told as they
 * are written; a verdict is JSON, and is told in words when it is complete.
 */
export class Narrator {
  #heading = '';
  #verdict: Delta | null = null;

  /** The text to show for a signal; empty when there is none. */
  tell(signal: CycleSignal): string {
    const isVerdict = signal.kind === 'delta' && signal.step === 'verdict';
    if (isVerdict && signal.round === this.#verdict?.round) {
      this.#verdict = { ...this.#verdict, text: this.#verdict.text + signal.text };
      return '';
    }
    const before = this.end();
    if (signal.kind !== 'delta') return before;
    this.#verdict = isVerdict ? signal : null;
    return isVerdict ? before : before + this.#say(signal, signal.text);
  }

  /** What is still to be told when there is nothing more to come. */
  end(): string {
    const written = this.#verdict;
    if (!written) return '';
    const parsed = parseVerdict(written.text);
    // Not one that can be read, yet: Beatrice is asked again, and her second try follows the first.
    if (!parsed.ok) return '';
    this.#verdict = null;
    return this.#say(written, inWords(parsed.verdict));
  }

  #say({ agent, round, step }: Delta, text: string): string {
    if (text === '') return '';
    const heading = narrationHeading(agent, round, step);
    if (heading === this.#heading) return text;
    const gap = this.#heading === '' ? '' : '\n\n';
    this.#heading = heading;
    return `${gap}${heading}\n${text}`;
  }
}

const DECISIONS: Record<Verdict['decision'], string> = {
  approve: 'Approved.',
  revise: 'To be revised.',
  ask_person: 'The person has to decide.',
};

function inWords({ decision, issues, criteria }: Verdict): string {
  const lines = [
    DECISIONS[decision],
    ...issues.map(({ severity, where, fix }) => `- ${severity}: ${[where, fix].filter(Boolean).join(' → ')}`),
    ...criteria
      .filter(({ met }) => met !== 'yes')
      .map(({ id, met, evidence }) => `- criterion ${id}: ${met}. ${evidence}`.trim()),
  ];
  return lines.join('\n');
}
