import type { TurnRecord } from '../../store/records.ts';

/** Who said a turn, as a model and a person understand it. */
export function speakerOf(turn: Pick<TurnRecord, 'agent' | 'speaker'>): string {
  if (turn.speaker !== null) return turn.speaker;
  if (turn.agent === 'wykeve') return 'the person';
  return turn.agent === 'codey' ? 'Codey (assistant)' : 'Beatrice (supervisor)';
}

/** `2023-05-08 13:56`, UTC. */
export function minuteOf(timestamp: number): string {
  return new Date(timestamp).toISOString().slice(0, 16).replace('T', ' ');
}

/** A turn as one entry of a prompt: when, who, what. */
export function attributed(turn: TurnRecord): string {
  return `[${minuteOf(turn.timestamp)}] ${speakerOf(turn)}: ${turn.content.trim()}`;
}
