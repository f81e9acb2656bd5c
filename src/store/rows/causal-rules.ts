import { CccError } from '../../base/ccc-error.ts';
import { JUDGES, type JudgedBy, type Relation } from '../causal-store.ts';
import type { EventRow, LinkRow } from './causal-rows.ts';

/** Whether nobody may put the second one's word in place of the first one's. */
export const outranks = (before: JudgedBy, now: JudgedBy): boolean =>
  JUDGES.indexOf(before) > JUDGES.indexOf(now);

/** Relations along which chains run. */
export const isCausing = (relation: Relation) => relation === 'caused' || relation === 'enabled';

/** What a link says of its two ends by themselves. @throws link_refused */
export function checkEnds(relation: Relation, cause: EventRow, effect: EventRow): void {
  if (cause.event_no === effect.event_no) throw refused('An event is not its own cause.');
  if (isCausing(relation)) {
    if (cause.happened_at > effect.happened_at) throw refused('The cause happened after its effect.');
  } else if (relation === 'superseded' && cause.happened_at < effect.happened_at) {
    throw refused('What supersedes (the cause) happened before what it supersedes (the effect).');
  }
}

/**
 * Along which links, and how deep, has to be looked for a way from the effect back to the cause; null when there can be
 * none. Along links that never go back in time, a way between two events of the same time passes only through events of
 * that time, so nothing else has to be looked at (`deep` is -1 then).
 */
export function loopSearch(
  relation: Relation,
  cause: EventRow,
  effect: EventRow,
): { relation: Relation; other: Relation; deep: number } | null {
  const [first, other]: [Relation, Relation] = isCausing(relation)
    ? ['caused', 'enabled']
    : [relation, relation];
  // Nothing runs along `prevented`: only two events that prevent each other make no sense.
  const anyTime = relation === 'prevented';
  if (!anyTime && cause.happened_at !== effect.happened_at) return null;
  return { relation: first, other, deep: anyTime ? 1 : -1 };
}

/** What is kept of a link where its event is changed or removed. */
export type LinkEnds = Pick<LinkRow, 'link_id' | 'cause_no' | 'effect_no' | 'relation'>;

/** An event in its new time, beside one that it is linked with. @throws link_refused when the link would go back in time */
export function checkLinkTime(link: LinkEnds, event: EventRow, otherAt: number): void {
  const isCause = link.cause_no === event.event_no;
  const [cause, effect] = isCause ? [event.happened_at, otherAt] : [otherAt, event.happened_at];
  const wrong = isCausing(link.relation) ? cause > effect : link.relation === 'superseded' && cause < effect;
  if (wrong) {
    throw new CccError('link_refused', `Link ${link.link_id} would go back in time.`, {
      param: 'happened_at',
    });
  }
}

export function refused(why: string): CccError {
  return new CccError('link_refused', why);
}

/** An event that was of use is noted once in this time, in milliseconds: a hint is not worth a write each time. */
export const USE_NOTED_EVERY_MS = 60 * 60_000;
