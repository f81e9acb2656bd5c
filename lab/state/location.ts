import { withView } from './view.ts';

/** The open place is in the address, so that a reload or a shared link opens the same one. */
export interface Place {
  sessionId: string | null;
  conversationId: string | null;
  /** Number of the turn that a link leads to; null for the end of the conversation. */
  turn: number | null;
}

export function readPlace(): Place {
  const query = new URLSearchParams(window.location.search);
  const turn = Number(query.get('turn'));
  return {
    sessionId: query.get('session'),
    conversationId: query.get('conversation'),
    turn: Number.isSafeInteger(turn) && turn > 0 ? turn : null,
  };
}

/** The address of a place, from the question mark on. */
export function addressOf(place: Omit<Place, 'turn'> & { turn?: number | null }): string {
  const query = new URLSearchParams();
  if (place.sessionId) query.set('session', place.sessionId);
  if (place.conversationId) query.set('conversation', place.conversationId);
  if (place.turn) query.set('turn', String(place.turn));
  return query.size > 0 ? `?${query.toString()}` : '';
}

export function writePlace(place: Parameters<typeof addressOf>[0]): void {
  const next = withView(addressOf(place));
  if (next !== window.location.search) {
    window.history.pushState(null, '', `${window.location.pathname}${next}`);
  }
}
