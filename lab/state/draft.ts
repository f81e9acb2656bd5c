/** What was typed and not yet sent outlives a reload, for this tab only. */
const KEY = 'ccc.lab.directive';

export function readDraft(): string {
  return window.sessionStorage.getItem(KEY) ?? '';
}

export function keepDraft(text: string): void {
  if (text === '') window.sessionStorage.removeItem(KEY);
  else window.sessionStorage.setItem(KEY, text);
}
