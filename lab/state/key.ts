import { signal } from '@preact/signals';

const KEY = 'ccc.lab.key';

/** The key that this server asks for, if it does. Kept for this tab only, and sent to this server only. */
let key = window.sessionStorage.getItem(KEY);

/** Whether the server has refused for want of a key. */
export const keyWanted = signal(false);

/** Whether the upstream has refused the key that the server has for it: nothing that could be given here. */
export const upstreamRefuses = signal(false);

/** What is to be done then. */
export const UPSTREAM_REFUSES =
  'The upstream refuses the key in OPENAI_API_KEY. Put the right one into .env and start the server again.';

/** Headers that every call brings. */
export function keyHeaders(): Record<string, string> {
  return key === null ? {} : { authorization: `Bearer ${key}` };
}

/** Whether this tab has a key already: when the server asks all the same, it is wrong. */
export function hasKey(): boolean {
  return key !== null;
}

export function useKey(given: string): void {
  key = given;
  window.sessionStorage.setItem(KEY, given);
}
