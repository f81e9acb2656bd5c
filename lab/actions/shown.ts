import type { Turn, Verdict } from '../api/types.ts';
import { laterTurn, turns, type ShownTurn } from '../state/model.ts';

const BLANK = {
  turnId: null,
  number: null,
  cycleId: null,
  round: null,
  speaker: null,
  text: '',
  live: false,
  when: null,
  verdict: null,
  checks: [],
};

/** The key of a turn of a cycle: known before the turn is stored. */
export function keyOf(cycleId: string, kind: string, round: number | null): string {
  return `${cycleId}:${kind}:${String(round ?? 0)}`;
}

export function shownTurn(turn: Turn): ShownTurn {
  const { round, verdict } = turn.metadata;
  const inRound = typeof round === 'number' ? round : null;
  const ofCycle = turn.cycle_id !== null && turn.kind !== 'message' && turn.kind !== 'tool';
  return {
    ...BLANK,
    key:
      turn.cycle_id !== null && ofCycle
        ? keyOf(turn.cycle_id, turn.kind, turn.kind === 'answer' ? null : inRound)
        : turn.turn_id,
    turnId: turn.turn_id,
    number: turn.turn_number,
    cycleId: turn.cycle_id,
    agent: turn.agent,
    kind: turn.kind,
    round: inRound,
    speaker: turn.speaker,
    text: turn.content,
    when: turn.timestamp,
    verdict: turn.kind === 'verdict' ? asVerdict(verdict) : null,
  };
}

function asVerdict(value: unknown): Verdict | null {
  if (typeof value !== 'object' || value === null || !('decision' in value)) return null;
  const verdict = value as Verdict;
  return { ...verdict, issues: verdict.issues ?? [], criteria: verdict.criteria ?? [] };
}

/** Shows a turn, or changes the one with the same key. */
export function showTurn(part: Partial<ShownTurn> & Pick<ShownTurn, 'key' | 'agent' | 'kind'>): void {
  const at = turns.value.findIndex(({ key }) => key === part.key);
  const before = turns.value[at];
  if (before) turns.value = turns.value.with(at, { ...before, ...part });
  // What comes at the end belongs behind turns that are not loaded: it is read with them.
  else if (laterTurn.value === null) turns.value = [...turns.value, { ...BLANK, ...part }];
}

const pieces = new Map<string, Parameters<typeof showTurn>[0]>();
let frame = 0;

/** A text of this length, in characters, takes some time to render: it is shown less often while it grows. */
const LONG = 10_000;
const SOON_MS = 30;
const LATER_MS = 250;

/** Adds text to a turn that is being written. Pieces are shown together, several times a second. */
export function addText(
  turn: Pick<ShownTurn, 'key' | 'agent' | 'kind' | 'round' | 'cycleId'>,
  text: string,
): void {
  const before = pieces.get(turn.key)?.text ?? turns.value.find(({ key }) => key === turn.key)?.text ?? '';
  pieces.set(turn.key, { ...turn, text: before + text, live: true });
  frame ||= window.setTimeout(showPieces, before.length < LONG ? SOON_MS : LATER_MS);
}

/** Shows what has come so far. A finished text replaces its pieces, so call this before it is shown. */
export function showPieces(): void {
  window.clearTimeout(frame);
  frame = 0;
  for (const part of pieces.values()) showTurn(part);
  pieces.clear();
}
