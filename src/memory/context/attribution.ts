import type { TurnRecord } from '../../store/records.ts';
import { plainName, withoutImages } from '../../text/harmless.ts';
import { neutralise } from '../../text/sections.ts';

/** What ends a line for some reader or other. */
const LINE_END = /\r\n|[\n\r\v\f\u0085\u2028\u2029]/g;

/**
 * A text as it may stand among others: it cannot close its section, and what follows its first line is indented, so
 * that no line of it can pass for an entry or a heading of its own.
 */
export function asData(text: string): string {
  // Trimmed when nothing else is taken away any more: what ends a line for some reader is no blank to `trim`.
  return withoutImages(neutralise(text))
    .replaceAll(LINE_END, '\n')
    .trim()
    .replaceAll(/\n(?!\n)/g, '\n  ');
}

/** Who said a turn, as a model and a person understand it. */
export function speakerOf(turn: Pick<TurnRecord, 'agent' | 'speaker'>): string {
  const name = plainName(turn.speaker ?? '');
  if (name !== '') return name;
  if (turn.agent === 'wykeve') return 'the person';
  return turn.agent === 'codey' ? 'Codey (assistant)' : 'Beatrice (supervisor)';
}

/** `2023-05-08 13:56`, UTC. */
export function minuteOf(timestamp: number): string {
  return new Date(timestamp).toISOString().slice(0, 16).replace('T', ' ');
}

/** A turn as one entry of a prompt: when, who, what. `supersededAt`: when it ceased to be so. */
export function attributed(
  turn: Pick<TurnRecord, 'agent' | 'speaker' | 'timestamp' | 'content'>,
  supersededAt?: number,
): string {
  const when = minuteOf(turn.timestamp);
  const until = supersededAt === undefined ? '' : `, superseded ${minuteOf(supersededAt).slice(0, 10)}`;
  return `[${when}${until}] ${speakerOf(turn)}: ${asData(turn.content)}`;
}
