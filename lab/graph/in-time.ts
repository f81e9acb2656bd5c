import type { CausalLink } from '../api/causes.ts';
import type { Arrow } from './drawing.ts';

/** What supersedes something is its cause, and yet comes after it: the one link that points back in time. */
export function turnsBack({ relation }: CausalLink): boolean {
  return relation === 'superseded';
}

/** A link from what happened first to what happened later, so that time runs from left to right. */
export function inTime(link: CausalLink): Arrow {
  const { link_id: id, cause_id: cause, effect_id: effect } = link;
  return turnsBack(link) ? { id, from: effect, to: cause } : { id, from: cause, to: effect };
}
