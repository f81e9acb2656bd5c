import { signal } from '@preact/signals';

const KEY = 'ccc.lab.directive';

/** What was typed and not yet taken by the server. It outlives a reload, for this tab only. */
export const draft = signal(window.sessionStorage.getItem(KEY) ?? '');

export function keepDraft(text: string): void {
  // Who goes on typing sends it when it is ready.
  sendAgainAt.value = null;
  draft.value = text;
  if (text === '') window.sessionStorage.removeItem(KEY);
  else window.sessionStorage.setItem(KEY, text);
}

/** When what was typed is sent again by itself, in milliseconds since the epoch; null when it is not. */
export const sendAgainAt = signal<number | null>(null);
