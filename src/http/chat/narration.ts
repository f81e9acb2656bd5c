import type { Agent } from '../../store/records.ts';

const NAMES: Record<Agent, string> = { wykeve: 'Wykeve', beatrice: 'Beatrice', codey: 'Codey' };

/** The line that opens an agent's words in the narration, such as `[Beatrice · round 1 · guidance]`. */
export function narrationHeading(agent: Agent, round: number, step: string): string {
  return `[${NAMES[agent]} · round ${round} · ${step}]`;
}

/** True for a text that this server has narrated, and no model thought. */
export function isNarration(text: unknown): boolean {
  return typeof text === 'string' && /^\s*\[(Wykeve|Beatrice|Codey) · round \d+ · \w+\]/.test(text);
}
