/** The open place is in the address, so that a reload or a shared link opens the same one. */
export interface Place {
  sessionId: string | null;
  conversationId: string | null;
}

export function readPlace(): Place {
  const query = new URLSearchParams(window.location.search);
  return { sessionId: query.get('session'), conversationId: query.get('conversation') };
}

export function writePlace(place: Place): void {
  const query = new URLSearchParams();
  if (place.sessionId) query.set('session', place.sessionId);
  if (place.conversationId) query.set('conversation', place.conversationId);
  const next = query.size > 0 ? `?${query.toString()}` : '';
  if (next !== window.location.search) {
    window.history.pushState(null, '', `${window.location.pathname}${next}`);
  }
}
