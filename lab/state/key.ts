import { signal } from '@preact/signals';

const KEY = 'ccc.lab.key';

/** The key that this server asks for, if it does. Kept for this tab only, and sent to this server only. */
let key = window.sessionStorage.getItem(KEY);

/** Whether the server has refused for want of a key. */
export const keyWanted = signal(false);

/** Headers that every call brings. */
export function keyHeaders(): Record<string, string> {
  return key === null ? {} : { authorization: `Bearer ${key}` };
}

export function useKey(given: string): void {
  key = given;
  window.sessionStorage.setItem(KEY, given);
}
