import type { Agent } from './records.ts';

/** How a cause bears on an effect. */
export const RELATIONS = ['caused', 'enabled', 'prevented', 'superseded'] as const;
export type Relation = (typeof RELATIONS)[number];

/** Something that happened. */
export interface CausalEventRecord {
  sessionId: string;
  eventId: string;
  conversationId: string | null;
  sourceTurnId: string | null;
  text: string;
  actor: Agent | null;
  happenedAt: number;
  storedAt: number;
  /** Order of change within the session; the projection's watermark. */
  changeSeq: number;
}

/** cause → effect, judged by somebody. */
export interface CausalLinkRecord {
  sessionId: string;
  linkId: string;
  causeId: string;
  effectId: string;
  relation: Relation;
  /** 0 to 1. */
  confidence: number;
  explanation: string;
  judgedBy: 'model' | 'rule' | 'person';
  storedAt: number;
  changeSeq: number;
}

/** Everything that changed in a session's causal memory after a watermark, in order. */
export interface CausalChanges {
  events: CausalEventRecord[];
  links: CausalLinkRecord[];
  removedEventIds: string[];
  removedLinkIds: string[];
  /** The watermark after these changes. */
  through: number;
  more: boolean;
}

export interface CausalStore {
  /** @throws session_not_found */
  addEvents(
    sessionId: string,
    events: Omit<CausalEventRecord, 'sessionId' | 'changeSeq'>[],
  ): Promise<CausalEventRecord[]>;
  /** @throws link_refused when it would join two sessions, point forward in time, or close a loop */
  addLinks(
    sessionId: string,
    links: Omit<CausalLinkRecord, 'sessionId' | 'changeSeq'>[],
  ): Promise<CausalLinkRecord[]>;
  getEvent(sessionId: string, eventId: string): Promise<CausalEventRecord | null>;
  /** What changed after watermark `after`, oldest first. */
  changesSince(sessionId: string, after: number, limit: number): Promise<CausalChanges>;
  /** The session's newest watermark; 0 when nothing was ever stored. */
  watermark(sessionId: string): Promise<number>;
  counts(): Promise<{ events: number; links: number }>;
}
