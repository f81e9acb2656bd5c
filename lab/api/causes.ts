import { call } from './http.ts';

export type Relation = 'caused' | 'enabled' | 'prevented' | 'superseded';

/** Something that happened. */
export interface CausalEvent {
  event_id: string;
  conversation_id: string | null;
  source_turn_id: string | null;
  text: string;
  actor: string | null;
  happened_at: string;
  recorded_by: string;
}

export interface CausalLink {
  link_id: string;
  cause_id: string;
  effect_id: string;
  relation: Relation;
  confidence: number;
  explanation: string;
  judged_by: string;
}

export interface CausalGraph {
  nodes: CausalEvent[];
  links: CausalLink[];
  truncated: boolean;
}

/** What led to an event, or what came of it. */
export interface Explanation extends CausalGraph {
  event: CausalEvent;
  chain: { event_ids: string[]; link_ids: string[]; confidence: number };
}

const of = (sessionId: string) => `/api/v2/sessions/${encodeURIComponent(sessionId)}/causal`;
const event = (sessionId: string, eventId: string) =>
  `${of(sessionId)}/events/${encodeURIComponent(eventId)}`;

export const causes = {
  /** The newest events, or those around one. */
  graph: (sessionId: string, limit: number, around: string | null) =>
    call<CausalGraph>(
      'GET',
      `${of(sessionId)}/graph?limit=${String(limit)}${around === null ? '' : `&around=${encodeURIComponent(around)}`}`,
    ),
  /** Events in whose text these words are, the best first. */
  find: (sessionId: string, query: string) =>
    call<{ events: CausalEvent[] }>(
      'GET',
      `${of(sessionId)}/events?limit=20&query=${encodeURIComponent(query)}`,
    ),
  addEvent: (sessionId: string, text: string) =>
    call<CausalEvent>('POST', `${of(sessionId)}/events`, { text }),
  changeEvent: (sessionId: string, eventId: string, text: string) =>
    call<CausalEvent>('PATCH', event(sessionId, eventId), { text }),
  confirmEvent: (sessionId: string, eventId: string) =>
    call<CausalEvent>('POST', `${event(sessionId, eventId)}/confirm`),
  removeEvent: (sessionId: string, eventId: string) => call<undefined>('DELETE', event(sessionId, eventId)),
  addLink: (sessionId: string, link: { cause_id: string; effect_id: string; relation: Relation }) =>
    call<CausalLink>('POST', `${of(sessionId)}/links`, link),
  changeLink: (
    sessionId: string,
    linkId: string,
    change: { relation: Relation; confidence: number; explanation: string },
  ) => call<CausalLink>('PATCH', `${of(sessionId)}/links/${encodeURIComponent(linkId)}`, change),
  confirmLink: (sessionId: string, linkId: string) =>
    call<CausalLink>('POST', `${of(sessionId)}/links/${encodeURIComponent(linkId)}/confirm`),
  removeLink: (sessionId: string, linkId: string) =>
    call<undefined>('DELETE', `${of(sessionId)}/links/${encodeURIComponent(linkId)}`),
  why: (sessionId: string, eventId: string) => call<Explanation>('GET', `${event(sessionId, eventId)}/why`),
  effects: (sessionId: string, eventId: string) =>
    call<Explanation>('GET', `${event(sessionId, eventId)}/effects`),
};
