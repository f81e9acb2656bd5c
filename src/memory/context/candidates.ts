import type { TurnRecord } from '../../store/records.ts';
import type { ContextTurn } from '../memory-service.ts';

/** Kinds that are the work between a directive and its answer; the answer says what came of it. */
const INNER_KINDS = new Set<TurnRecord['kind']>(['guidance', 'draft', 'verdict']);

/** A turn that was said to somebody, not a step of the work. */
export function isSaid(turn: Pick<TurnRecord, 'kind'>): boolean {
  return !INNER_KINDS.has(turn.kind);
}

/** A text without what does not change its meaning: for telling whether it was said already. */
export function comparable(text: string): string {
  return text.normalize('NFKC').toLowerCase().replaceAll(/\s+/gu, ' ').trim();
}

/**
 * The candidates worth showing, best first: not what the client has sent itself, not the inner work of a cycle, and
 * the same words only once.
 */
export function worthShowing(candidates: ContextTurn[], alreadySent: string[]): ContextTurn[] {
  const seen = new Set(alreadySent.map(comparable));
  return candidates.filter(({ turn }) => {
    const text = comparable(turn.content);
    if (text === '' || !isSaid(turn) || seen.has(text)) return false;
    seen.add(text);
    return true;
  });
}
