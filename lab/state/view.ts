import { effect, signal } from '@preact/signals';

const VIEWS = ['thread', 'causes', 'trace', 'agents', 'facts', 'insights'] as const;
export type View = (typeof VIEWS)[number];

/** What the middle of the page shows; a part of the address too, except for the conversation. */
export const view = signal<View>('thread');

/** Takes the view from the address: at the start, and when the person goes back or forth. */
export function readView(): void {
  const named = new URLSearchParams(window.location.search).get('view');
  view.value = VIEWS.find((known) => known === named) ?? 'thread';
}

/** A query with the view of this moment in it. */
export function withView(search: string): string {
  const query = new URLSearchParams(search);
  query.delete('view');
  if (view.value !== 'thread') query.set('view', view.value);
  return query.size > 0 ? `?${query.toString()}` : '';
}

/** Writes the view into the address whenever it changes. */
export function followView(): void {
  readView();
  effect(() => {
    const next = withView(window.location.search);
    if (next !== window.location.search)
      window.history.pushState(null, '', `${window.location.pathname}${next}`);
  });
}
